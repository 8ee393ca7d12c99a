"""What the operating system says of processes, so that a test need not believe the program."""

import os
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def program(name: str) -> str:
    """A command of this environment, as a person calls it."""
    return str(Path(sys.executable).with_name(name))


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def naming(text: str) -> dict[int, str]:
    """Processes, other than this one, whose command line holds the text."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if text in command and alive(int(folder.name)):
            found[int(folder.name)] = command
    return found


def listening(pid: int) -> set[tuple[str, int]]:
    """Addresses and ports on which a process accepts TCP connections."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        if match := re.match(r"socket:\[(\d+)\]", os.readlink(descriptor)):
            inodes.add(match[1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:  # 0A is LISTEN
                found.add(_address(fields[1]))
    return found


def _address(text: str) -> tuple[str, int]:
    """The kernel writes each 32-bit word of an address in the machine's own byte order."""
    digits, port = text.split(":")
    words = (digits[n : n + 8] for n in range(0, len(digits), 8))
    packed = b"".join(struct.pack("=I", int(word, 16)) for word in words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)


def run(*command: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
