import json
import re
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes import alive, linux_only, listening, naming, program, run
from rig import until
from room_end import ReaderEnd

from deploy.local.broker import listens
from deploy.local.store import answers

pytestmark = [pytest.mark.system, linux_only]


@contextmanager
def up(data, until_says):
    """`leukoscope up`, as far as the line that holds `until_says`; gives it and what it said."""
    with subprocess.Popen(
        [program("leukoscope"), "up", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    ) as process:
        said = ""
        try:
            for line in process.stdout:
                said += line
                if until_says in line:
                    break
            yield process, said
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(40)


def processes(said):
    """Name and pid of each part, as `up` printed them."""
    (line,) = (line for line in said.splitlines() if line.startswith("processes"))
    return {name: int(pid) for name, pid in re.findall(r"(\w+) (\d+)", line)}


def end(process):
    """What it still says, and its exit code."""
    said, _ = process.communicate(timeout=40)
    return said, process.returncode


def nothing_is_left(data, ports):
    until(lambda: naming(str(data)) == {}, 5, f"no process of {data}: {naming(str(data))}")
    assert [name for name, port in ports.items() if listens(port)] == []


def test_up_says_how_to_use_it_takes_a_capture_and_stops_every_part_at_sigterm(tmp_path):
    data = tmp_path / "data"
    with up(data, "Ctrl-C stops everything") as (process, said):
        ports = json.loads((data / "ports.json").read_text())
        parts = processes(said)
        assert set(parts) == {"broker", "store", "worker", "review", "agent"}
        assert answers(f"http://127.0.0.1:{ports['page']}/healthz")
        for needed in (
            f"http://127.0.0.1:{ports['page']}/",
            f"reading page     http://127.0.0.1:{ports['review']}/  "
            f"(sign in as reader; password in {data}/credentials.json)",
            f"leukoscope-cloud user add NAME --role reader --config {data}/cloud.toml",
            f"leukoscope-cloud verify --all --config {data}/cloud.toml",
            f"leukoscope-edge capture --slide 12345 --config {data}/edge.toml",
            f"leukoscope-cloud results --follow --config {data}/cloud.toml",
            f"cp KEY.pem {data}/trusted-keys",
            f"leukoscope-model publish BUNDLE --config {data}/model.toml",
            f"leukoscope-model promote leukoscope-acgan VERSION --config {data}/model.toml",
            f"mqtt://127.0.0.1:{ports['mqtt']}",
            "leukoscope/1/home/scope-1/frames",
            "leukoscope/1/home/results/scope-1",
            f"http://127.0.0.1:{ports['s3']}/leukoscope",
            f"http://127.0.0.1:{ports['health']}/healthz",
            f"{data}/credentials.json",
            "Research use only",
        ):
            assert needed in said

        done = run(
            *(program("leukoscope-edge"), "capture", "--slide", "12345", "--json"),
            *("--config", str(data / "edge.toml")),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (captured,) = json.loads(done.stdout)["captures"]
        assert captured["state"] == "stored"

        a_reader_signs_in(data, ports["review"], parts, said)

        for name, pid in parts.items():
            addresses = {address for address, _ in listening(pid)}
            assert addresses <= {"127.0.0.1"}, name
        assert {a for pid in parts.values() for _, a in listening(pid)} <= set(ports.values())

        second = run(program("leukoscope"), "demo", "--fields", "1", "--data", str(data))
        assert second.returncode == 1
        assert f"is in use by process {process.pid}" in second.stderr

        process.send_signal(signal.SIGTERM)
        said, code = end(process)
    assert code == 128 + signal.SIGTERM
    assert "stopped by SIGTERM; every part was stopped" in said
    nothing_is_left(data, ports)


def a_reader_signs_in(data, port, parts, said):
    """Signed in with the password of the first run, which stands in that one file only."""
    password = json.loads((data / "credentials.json").read_text())["reader_password"]
    reader = ReaderEnd(f"http://127.0.0.1:{port}/")
    assert reader.sign_in("reader", "not the password").status_code == 403
    assert reader.sign_in("reader", password).status_code == 303
    assert "Signed in as <strong>reader</strong>, lead" in reader.get("/").text
    reader.close()
    assert password not in said
    for pid in parts.values():
        assert password.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert password.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    holding = [f for f in data.rglob("*") if f.is_file() and password.encode() in f.read_bytes()]
    assert holding == [data / "credentials.json"]


def test_ctrl_c_again_and_again_while_it_starts_leaves_nothing(tmp_path):
    data = tmp_path / "data"
    with up(data, "starting the worker") as (process, _):
        ports = json.loads((data / "ports.json").read_text())
        for _ in range(5):
            process.send_signal(signal.SIGINT)
        said, code = end(process)
    assert code == 128 + signal.SIGINT
    assert "Traceback" not in said
    nothing_is_left(data, ports)


@pytest.mark.parametrize("name", ["worker", "broker"])
def test_a_part_that_is_killed_is_named_and_the_others_are_stopped(tmp_path, name):
    data = tmp_path / "data"
    with up(data, "Ctrl-C stops everything") as (process, said):
        ports = json.loads((data / "ports.json").read_text())
        parts = processes(said)
        subprocess.run(["/bin/kill", "-9", str(parts[name])], check=True)
        said, code = end(process)
    assert code == 1
    assert f"{name} was killed by SIGKILL" in said
    assert f"{data}/logs/{name}.log" in said
    assert "Traceback" not in said
    assert not any(map(alive, parts.values()))
    nothing_is_left(data, ports)


def test_when_up_itself_is_killed_no_part_outlives_it(tmp_path):
    data = tmp_path / "data"
    with up(data, "Ctrl-C stops everything") as (process, said):
        ports = json.loads((data / "ports.json").read_text())
        parts = processes(said)
        process.kill()
        process.wait(10)
        until(lambda: not any(map(alive, parts.values())), 25, "every part has ended")
    nothing_is_left(data, ports)
