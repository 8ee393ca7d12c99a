"""A file system of a few megabytes, which can be filled to its last byte."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def tmpfs(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mounted while the block runs; skips where nothing may be mounted."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("mounting a tmpfs needs root")
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs may be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)


def fill_up(folder: Path) -> Path:
    """Take every free byte, as another program's log does; returns the file that has them."""
    file = folder / "another program's log"
    with file.open("ab", buffering=0) as opened:
        for size in (65_536, 4096, 1):
            try:
                while opened.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return file
