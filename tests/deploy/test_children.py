import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from processes import alive, linux_only
from rig import until

from deploy.local import children as module
from deploy.local.children import ChildDiedError, Children, wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def python(text):
    return [sys.executable, "-c", textwrap.dedent(text)]


@pytest.fixture
def children(tmp_path):
    with Children(tmp_path) as opened:
        yield opened


def obedient(name, noted):
    """A child that notes its name when it is told to stop."""
    return python(f"""
        import pathlib, signal, sys, time
        noted = pathlib.Path({str(noted)!r})
        def stop(*_):
            with noted.open("a") as opened:
                opened.write("stopped {name}\\n")
            sys.exit()
        signal.signal(signal.SIGTERM, stop)
        with noted.open("a") as opened:
            opened.write("ready {name}\\n")
        time.sleep(60)
    """)


def test_children_are_stopped_the_youngest_first(tmp_path):
    noted = tmp_path / "noted"
    noted.touch()
    with Children(tmp_path) as children:
        for number, name in enumerate(("broker", "store", "worker"), 1):
            children.start(name, obedient(name, noted))
            until(lambda n=number: noted.read_text().count("ready") == n, 10, "it is ready")
    said = [line for line in noted.read_text().splitlines() if line.startswith("stopped")]
    assert said == ["stopped worker", "stopped store", "stopped broker"]


def test_none_is_left_when_the_block_ends_in_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), Children(tmp_path) as children:
        pids = [children.start(name, SLEEP).pid for name in ("a", "b")]
        raise ZeroDivisionError
    assert not any(map(alive, pids))


def test_a_child_that_ignores_sigterm_is_killed(children, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_GRACE_S", 0.3)
    ready = tmp_path / "ready"
    child = children.start(
        "deaf",
        python(f"""
            import pathlib, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            pathlib.Path({str(ready)!r}).touch()
            time.sleep(60)
        """),
    )
    until(ready.exists, 10, "it is deaf")
    children.stop()
    assert child.process.returncode == -signal.SIGKILL
    assert not alive(child.pid)


def test_what_a_child_has_started_ends_with_it(children, tmp_path):
    noted = tmp_path / "pid"
    children.start(
        "parent",
        python(f"""
            import pathlib, subprocess, sys, time
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            pathlib.Path({str(noted)!r}).write_text(str(child.pid))
            time.sleep(60)
        """),
    )
    until(lambda: noted.exists() and noted.read_text(), 10, "the grandchild")
    grandchild = int(noted.read_text())
    assert alive(grandchild)
    children.stop()
    until(lambda: not alive(grandchild), 5, "the grandchild is gone")


def died(children):
    try:
        children.check()
    except ChildDiedError as error:
        return str(error)
    return ""


def test_a_child_that_dies_is_named_with_its_status_and_the_end_of_its_log(children):
    children.start("worker", python("print(*range(100), sep='\\n'); raise SystemExit(7)"))
    until(lambda: died(children), 10, "it died")
    said = died(children)
    assert said.startswith("worker exited with 7. The end of ")
    assert said.splitlines()[-1] == "99"
    assert "\n84\n" not in said


def test_a_child_that_was_killed_is_named_with_the_signal(children):
    child = children.start("store", SLEEP)
    child.process.kill()
    until(lambda: died(children), 10, "it died")
    assert died(children).startswith("store was killed by SIGKILL.")


def test_a_program_that_does_not_exist_is_named(children):
    children.start("broker", ["/no/such/program"])
    until(lambda: died(children), 10, "it died")
    assert "/no/such/program" in died(children) or "No such file" in died(children)


def test_waiting_for_a_child_that_dies_ends_at_once(children):
    children.start("store", python("raise SystemExit('no disk')"))
    started = time.monotonic()
    with pytest.raises(ChildDiedError, match=r"(?s)store exited with 1.*no disk"):
        wait_until(lambda: False, children, "the store", 30)
    assert time.monotonic() - started < 10


def test_waiting_in_vain_names_what_was_waited_for(children):
    with pytest.raises(TimeoutError, match="the store was not ready after 0 s"):
        wait_until(lambda: False, children, "the store", 0.2)


class Stopped(BaseException):
    """As the command line raises it at a signal."""


@pytest.fixture
def stopping():
    """SIGTERM unwinds this test as it unwinds the program."""

    def stopped(*_):
        raise Stopped

    before = signal.signal(signal.SIGTERM, stopped)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_signal_in_the_middle_of_a_start_leaves_no_child(tmp_path, stopping, monkeypatch):
    real, pids = subprocess.Popen, []

    def popen(*arguments, **options):
        process = real(*arguments, **options)
        pids.append(process.pid)
        os.kill(os.getpid(), signal.SIGTERM)
        return process

    monkeypatch.setattr(module.subprocess, "Popen", popen)
    with pytest.raises(Stopped), Children(tmp_path) as children:
        children.start("store", SLEEP)
    assert len(pids) == 1
    assert not alive(pids[0])


def test_a_second_signal_while_stopping_leaves_no_child_and_is_not_forgotten(
    tmp_path, stopping, monkeypatch
):
    real = module._stop
    monkeypatch.setattr(
        module, "_stop", lambda child: (os.kill(os.getpid(), signal.SIGTERM), real(child))
    )
    with pytest.raises(Stopped), Children(tmp_path) as children:
        pids = [children.start(name, SLEEP).pid for name in ("a", "b", "c")]
    assert not any(map(alive, pids))


PARENT = """
import sys, time
from pathlib import Path
from deploy.local.children import Children
with Children(Path(sys.argv[1])) as children:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    print(*(children.start(name, sleep).pid for name in "abc"), flush=True)
    time.sleep(60)
"""


@linux_only
@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_when_the_parent_is_killed_its_children_end(tmp_path, pause):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 3
        time.sleep(pause)  # 0: before the guard has become the program
        parent.kill()
    until(lambda: not any(map(alive, pids)), 10, "no child is left")


def test_a_file_of_the_current_folder_is_not_taken_for_a_part_of_leukoscope(tmp_path, monkeypatch):
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "__init__.py").write_text("raise SystemExit('a stranger')")
    (tmp_path / "cloud.py").write_text("raise SystemExit('a stranger')")
    monkeypatch.chdir(tmp_path)
    with Children(tmp_path) as children:
        child = children.start("help", [*module.python("cloud"), "--help"])
        child.process.wait(30)
        assert "stranger" not in child.log.read_text()
        assert child.process.returncode == 0
