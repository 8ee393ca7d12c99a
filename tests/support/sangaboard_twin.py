"""A twin of a Sangaboard behind a pseudo-terminal: answers as the firmware's source does."""

import contextlib
import os
import pty
import select
import threading
import time
import tty
from pathlib import Path

GREETINGS = {
    "0.4": "OpenFlexure Motor Board v0.4",
    "0.5": "Sangaboard Firmware v0.5.1",
    "1.0-beta": "Sangaboard Firmware v1.0-beta",
    "1.0": "Sangaboard Firmware v1.0.4",
}


class SangaboardTwin:
    """Plugged in from the start. `link` is the device's path, the same after each plugging in.

    Args:
        link: where the symbolic link to the pseudo-terminal comes.
        firmware: a key of GREETINGS.
        position: steps that its EEPROM holds.
        step_us: time of a step; 0 moves at once.
        starts_in_s: how long the boot loader takes.
        stops: lowest and highest count of each motor, where an end stop is.

    Attributes:
        heard: every line that came.
        silent: answers nothing any more.
        says: answers this to every command, if set.
        restart_in: the power fails during the so many-th move from now on.
    """

    def __init__(
        self,
        link: Path,
        firmware: str = "1.0",
        *,
        position: tuple[int, int, int] = (0, 0, 0),
        step_us: int = 0,
        starts_in_s: float = 0.0,
        stops: tuple[int, int] = (-100_000, 100_000),
        says: str = "",
        silent: bool = False,
    ) -> None:
        self.link, self.firmware, self.step_us = link, firmware, step_us
        self.position = list(position)
        self.heard: list[str] = []
        self.silent, self.says, self.restart_in = silent, says, 0
        self._starts_in_s, self._stops = starts_in_s, stops
        # Before blocking_moves is set, firmware 1 remembers what another program set.
        self._blocking = firmware.startswith("0.")
        self.plug_in()

    @property
    def old(self) -> bool:
        return self.firmware.startswith("0.")

    @property
    def moves(self) -> list[tuple[int, ...]]:
        """Every move that was asked for, in steps."""
        return [tuple(map(int, line.split()[1:])) for line in self.heard if line.startswith("mr ")]

    def plug_in(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        self._thread = threading.Thread(target=self._run, args=(self._master,), daemon=True)
        self._plugged = True
        self._thread.start()

    def unplug(self) -> None:
        if not self._plugged:
            return
        self._plugged = False
        if threading.current_thread() is not self._thread:
            self._thread.join()
        os.close(self._master)
        os.close(self._slave)
        self.link.unlink()

    close = unplug

    def forget(self) -> None:
        """What a power failure does to firmware 1, which has no EEPROM on a Pico."""
        self.position = [0, 0, 0]

    # --- the firmware's loop ---

    def _run(self, master: int) -> None:
        time.sleep(self._starts_in_s)
        if not self.silent:
            self._print(self.says or GREETINGS[self.firmware])
        buffer = b""
        while self._plugged:
            if not select.select([master], [], [], 0.01)[0]:
                continue
            buffer += os.read(master, 1024)
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                self.heard.append(line.decode())
                if not self.silent:
                    self._handle(line.decode())

    def _print(self, line: str) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            os.write(self._master, f"{line}\r\n".encode())

    def _handle(self, command: str) -> None:
        name, _, rest = command.partition(" ")
        if self.says:
            self._print(self.says)
        elif name == "version":
            self._print(GREETINGS[self.firmware])
        elif name == "p?":
            self._print(" ".join(map(str, self.position)))
        elif name == "dt?":
            self._print(f"minimum step delay {self.step_us}")
        elif name == "ramp_time?":
            self._print("ramp time 0" if self.old else "ramp_time 0")
        elif name == "blocking_moves" and not self.old:
            self._blocking = rest == "true"
            self._print("done.")
        elif name == "mr":
            self._move([int(part) for part in rest.split()])
        else:
            self._print("Type 'help' for a list of commands.")

    def _move(self, way: list[int]) -> None:
        if len(way) != 3:
            self._print("Error: command is mr <int> <int> <int>")
            return
        if not self._blocking:
            self._print("done.")
        self._pass_time(max(map(abs, way)) * self.step_us / 1e6)
        if self.restart_in == 1:
            self.restart_in = 0
            self._print(GREETINGS[self.firmware])
            return
        self.restart_in = max(0, self.restart_in - 1)
        hit = self._step(way)
        if hit and not self.old:
            self._print(f"Endstop hit:{hit}")
        if self._blocking:
            self._print("stopped" if self.firmware == "1.0-beta" else "done.")

    def _pass_time(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._plugged and time.monotonic() < until:
            time.sleep(0.005)

    def _step(self, way: list[int]) -> int:
        """Move, as far as the end stops let; which one was hit: its motor from 1, and its sign."""
        low, high = self._stops
        hit = 0
        for motor, steps in enumerate(way):
            wanted = self.position[motor] + steps
            self.position[motor] = min(high, max(low, wanted))
            if self.position[motor] != wanted:
                hit = (motor + 1) * (1 if steps > 0 else -1)
        return hit
