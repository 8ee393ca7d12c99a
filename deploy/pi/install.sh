#!/usr/bin/env bash
# Installs leukoscope's agent on a Raspberry Pi, or brings an installed one up to date.
# Raspberry Pi OS Bookworm or later, 64-bit. Asks nothing; may be run again at any time.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: sudo deploy/pi/install.sh [--dry-run] [--no-start]

  --dry-run    say what would be done, do nothing (needs no root, runs anywhere)
  --no-start   install, but leave the service as it is

Installs: picamera2 and lgpio by apt; the user leukoscope; a virtual environment in
/opt/leukoscope/venv; /etc/leukoscope/edge.toml, if there is none; the service leukoscope-edge;
a udev rule; the command /usr/local/bin/leukoscope-edge. Research use only.
USAGE
}

readonly USER_NAME=leukoscope
readonly VENV=/opt/leukoscope/venv
readonly CONFIG=/etc/leukoscope/edge.toml
readonly STATE=/var/lib/leukoscope
readonly UNIT=/etc/systemd/system/leukoscope-edge.service
readonly RULES=/etc/udev/rules.d/60-leukoscope.rules
readonly COMMAND=/usr/local/bin/leukoscope-edge
readonly PACKAGES=(python3-venv python3-picamera2 python3-lgpio)
readonly GROUPS_WANTED=(video gpio i2c dialout)

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
SOURCE="$(cd "$HERE/../.." && pwd)"
readonly HERE SOURCE
dry=0
start=1

main() {
  read_arguments "$@"
  check_machine
  install_packages
  make_user
  make_folders
  install_program
  install_settings
  install_file "$HERE/leukoscope-edge" "$COMMAND" 0755
  install_file "$HERE/60-leukoscope.rules" "$RULES" 0644
  install_file "$HERE/leukoscope-edge.service" "$UNIT" 0644
  start_service
  if [ "$dry" = 1 ]; then
    say "Nothing was done."
  else
    say "Installed. Next: look through $CONFIG, then: sudo leukoscope-edge doctor"
  fi
}

read_arguments() {
  while [ "$#" -gt 0 ]; do
    case "$1" in
      --dry-run) dry=1 ;;
      --no-start) start=0 ;;
      -h | --help) usage && exit 0 ;;
      *) fail "unknown argument $1 (--help tells them all)" 2 ;;
    esac
    shift
  done
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

# Does it, or says that it would.
run() {
  if [ "$dry" = 1 ]; then
    say "would run: $*"
  else
    say "+ $*"
    "$@"
  fi
}

# What keeps the machine from being a station; a dry run tells it and goes on.
object() {
  if [ "$dry" = 1 ]; then
    say "would stop here: $1"
  else
    fail "$1"
  fi
}

check_machine() {
  local system version architecture
  # shellcheck source=/dev/null
  system="$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-}")"
  # shellcheck source=/dev/null
  version="$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_ID:-0}")"
  architecture="$(dpkg --print-architecture 2>/dev/null || uname -m)"
  case "$system" in
    debian | raspbian) ;;
    *) object "this is ${system:-no Debian}: Raspberry Pi OS, Bookworm or later, is needed" ;;
  esac
  [ "${version%%.*}" -ge 12 ] 2>/dev/null ||
    object "release $version is older than Bookworm (12): write a new card with Raspberry Pi Imager"
  [ "$architecture" = arm64 ] ||
    object "architecture $architecture: take the 64-bit Raspberry Pi OS (arm64)"
  [ "$(id -u)" = 0 ] || object "not root: sudo deploy/pi/install.sh"
}

install_packages() {
  local package missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$package")
  done
  if [ "${#missing[@]}" = 0 ]; then
    say "apt: all there"
    return
  fi
  run apt-get update -qq
  # Without what it recommends: picamera2 would bring a desktop's windows.
  run env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

make_user() {
  local group
  if ! id "$USER_NAME" >/dev/null 2>&1; then
    run useradd --system --user-group --home-dir "$STATE" --no-create-home \
      --shell /usr/sbin/nologin "$USER_NAME"
  fi
  for group in "${GROUPS_WANTED[@]}"; do
    getent group "$group" >/dev/null || run groupadd --system "$group"
    id -nG "$USER_NAME" 2>/dev/null | tr ' ' '\n' | grep -qx "$group" ||
      run usermod --append --groups "$group" "$USER_NAME"
  done
}

make_folders() {
  run install -d -o root -g root -m 0755 /opt/leukoscope
  run install -d -o root -g "$USER_NAME" -m 0750 "$(dirname "$CONFIG")"
  run install -d -o "$USER_NAME" -g "$USER_NAME" -m 0700 "$STATE"
}

install_program() {
  # With the system's packages: picamera2 is there and nowhere else. Anew after the system's Python
  # has changed, as an upgrade to the next release does.
  "$VENV/bin/python" -m pip --version >/dev/null 2>&1 ||
    run python3 -m venv --clear --system-site-packages "$VENV"
  run "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --upgrade --constraint "$HERE/constraints.txt" "${SOURCE}[edge]"
  # Fails here, and not at the first capture, where a wheel hides what picamera2 was built against.
  run "$VENV/bin/python" -c 'import cv2, picamera2'
}

install_settings() {
  local device file
  if [ -e "$CONFIG" ]; then
    say "$CONFIG: kept as it is"
    return
  fi
  # 1 to 63 letters, digits and '-': what may stand in a topic.
  device="$(uname -n | tr -c 'A-Za-z0-9\n' '-' | sed 's/^-*//' | cut -c 1-63)"
  if [ "$dry" = 1 ]; then
    say "would write: $CONFIG (device ${device:-scope-1})"
    return
  fi
  file="$(mktemp)"
  sed "s/@DEVICE@/${device:-scope-1}/g" "$HERE/edge.toml" >"$file"
  run install -o root -g "$USER_NAME" -m 0640 "$file" "$CONFIG"
  rm -f "$file"
}

# install_file FROM TO MODE: writes only what differs.
install_file() {
  if cmp -s "$1" "$2"; then
    say "$2: up to date"
  else
    run install -o root -g root -m "$3" "$1" "$2"
  fi
}

start_service() {
  run systemctl enable --quiet leukoscope-edge.service
  if [ "$dry" = 0 ] && [ ! -d /run/systemd/system ]; then
    say "systemd does not run here, as in an image that is being made: the service starts with the Pi"
    return
  fi
  run udevadm control --reload
  run udevadm trigger --subsystem-match=video4linux --subsystem-match=media \
    --subsystem-match=dma_heap --subsystem-match=gpio --subsystem-match=tty
  run systemctl daemon-reload
  if [ "$start" = 1 ]; then
    # Not waited for: wrong settings are the doctor's to tell, and no failure of the installation.
    run systemctl restart --no-block leukoscope-edge.service
  fi
}

main "$@"
