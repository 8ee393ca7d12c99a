"""Child processes: started guarded, watched, and stopped always, in the reverse order."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

_TAIL_LINES: Final = 15
_GRACE_S: Final = 25.0
"""Seconds to stop by itself. SeaweedFS now and then takes 10 to 17: its admin part waits for a
master that has stopped, before the parts that hold data stop."""


class ChildDiedError(RuntimeError):
    """A child ended by itself; the message names it, its status and the end of its log."""


@dataclass(frozen=True)
class Child:
    """A running child."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Of the program itself: the guard became it."""
        return self.process.pid


class Children:
    """All children of one run. Leave the `with` block and none is left, whatever happened.

    Args:
        logs: folder for one log file a child.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start a program in a session of its own, so that Ctrl-C reaches only the parent.

        On the main thread only: the child ends with the thread that started it.
        """
        log = self._logs / f"{name}.log"
        guarded = [*python("deploy.local.guard"), str(os.getpid()), *command]
        with log.open("ab") as opened, _uninterrupted():
            process = subprocess.Popen(  # noqa: S603  # our own command
                guarded,
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
            child = Child(name, process, log)
            self._running.append(child)
        return child

    def check(self) -> None:
        """Look whether all live.

        Raises:
            ChildDiedError: one does not.
        """
        for child in self._running:
            status = child.process.poll()
            if status is not None:
                raise ChildDiedError(_obituary(child, status))

    def __iter__(self) -> Iterator[Child]:
        return iter(self._running)

    def stop(self) -> None:
        """Stop all, the youngest first; a second Ctrl-C cannot leave one behind."""
        with _uninterrupted():
            while self._running:
                _stop(self._running.pop())


def python(module: str) -> list[str]:
    """Command that runs one of our own modules, whatever lies in the current folder (-P)."""
    return [sys.executable, "-P", "-m", module]


def wait_until(
    ready: Callable[[], bool], children: Children, what: str, timeout_s: float = 60.0
) -> None:
    """Wait for something to be ready, and for no child to die meanwhile.

    Raises:
        ChildDiedError: one died.
        TimeoutError: nothing came of it.
    """
    until = time.monotonic() + timeout_s
    while not ready():
        children.check()
        if time.monotonic() > until:
            raise TimeoutError(f"{what} was not ready after {timeout_s:.0f} s; see the logs")
        time.sleep(0.05)


def _stop(child: Child) -> None:
    process = child.process
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    # Whatever the child itself had started ends with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back for a moment: one that comes takes effect afterwards.

    Not ignored, for a child would inherit that.
    """
    held_back: list[int] = []

    def hold_back(number: int, _frame: FrameType | None) -> None:
        held_back.append(number)

    before = {n: signal.signal(n, hold_back) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held_back:
        signal.raise_signal(held_back[0])


def _obituary(child: Child, status: int) -> str:
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited with {status}"
    tail = "\n".join(child.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
    return f"{child.name} {how}. The end of {child.log}:\n{tail}"
