#!/usr/bin/env bash
# The Pi's installer and service where there is no Pi: a Debian 12 of this machine's architecture, made by
# debootstrap and started by systemd-nspawn. Installs twice, starts the unit as it is shipped, runs
# the doctor, makes the agent hang, and watches systemd start it anew. Some 10 minutes; as root; needs
# debootstrap and systemd-container.
#
#   tests/bench/pi_service.sh FOLDER     # the root lies there afterwards, and is used again
#
# Stood in for: the architecture, apt's picamera2 and lgpio, and the camera (the simulator).
set -euo pipefail
root="${1:?usage: tests/bench/pi_service.sh FOLDER}/root"
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
stand_ins="$root/usr/local/stand-ins"

make_root() {
  [ -d "$root/etc" ] || debootstrap --variant=minbase \
    --include=python3,python3-venv,python3-numpy,systemd,udev,ca-certificates bookworm "$root"
  cp /etc/resolv.conf "$root/etc/"
  cp -r /etc/ssl/certs "$root/etc/ssl/"
  rm -rf "$root/src" "$root/result.txt"
  mkdir -p "$root/src" "$stand_ins"
  git -C "$repository" archive HEAD | tar x -C "$root/src"
  cat >"$stand_ins/dpkg" <<'DPKG'
#!/bin/sh
[ "$1" = --print-architecture ] && echo arm64 && exit 0
exec /usr/bin/dpkg "$@"
DPKG
  cat >"$stand_ins/dpkg-query" <<'QUERY'
#!/bin/sh
case "$*" in
  *picamera2* | *lgpio*) printf 'install ok installed' ;;
  *) exec /usr/bin/dpkg-query "$@" ;;
esac
QUERY
  chmod +x "$stand_ins"/*
  echo 'Picamera2 = None' >"$root/usr/lib/python3/dist-packages/picamera2.py"
}

install_in_root() {
  mount --bind /dev "$root/dev"
  mount --bind /proc "$root/proc"
  trap 'umount "$root/dev" "$root/proc"' EXIT
  chroot "$root" env -u PIP_FIND_LINKS -u VIRTUAL_ENV HOME=/root \
    PATH=/usr/local/stand-ins:/usr/sbin:/usr/bin:/sbin:/bin /src/deploy/pi/install.sh
  umount "$root/dev" "$root/proc"
  trap - EXIT
}

write_probe() {
  cat >"$root/probe.sh" <<'PROBE'
#!/bin/bash
exec >/result.txt 2>&1
shown() { systemctl show leukoscope-edge --property "$1" --value; }
for _ in $(seq 60); do systemctl is-active --quiet leukoscope-edge && break; sleep 2; done
echo "active: $(shown ActiveState), $(shown StatusText)"
sleep 100
echo "fed for 100 s: restarts $(shown NRestarts)"
leukoscope-edge doctor --json | grep -c '"state": "ok"' | sed 's/^/doctor, checks ok: /'
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$(shown MainPID)/status"
kill -STOP "$(shown MainPID)"
hung=$SECONDS
for _ in $(seq 100); do [ "$(shown NRestarts)" != 0 ] && break; sleep 2; done
echo "hung: restarts $(shown NRestarts) after $((SECONDS - hung)) s"
for _ in $(seq 30); do [ "$(shown ActiveState)" = active ] && break; sleep 2; done
echo "then: $(shown ActiveState)"
systemctl stop leukoscope-edge
echo "stopped: $(shown Result)"
systemctl poweroff --force
PROBE
  chmod +x "$root/probe.sh"
  printf '[Unit]\nAfter=multi-user.target\n[Service]\nExecStart=/probe.sh\n' \
    >"$root/etc/systemd/system/probe.service"
  ln -sf /etc/systemd/system/probe.service \
    "$root/etc/systemd/system/multi-user.target.wants/probe.service"
}

make_root
install_in_root
echo "--- again"
install_in_root
sed -i 's/^camera = .*/camera = "simulator:7"/; s/^port = 8730/port = 18730/' "$root/etc/leukoscope/edge.toml"
write_probe
timeout 600 systemd-nspawn --quiet --directory "$root" --register=no --keep-unit --boot >"$root/../boot.log" 2>&1 || true
echo "--- as a service"
cat "$root/result.txt"
