"""A scan that is killed goes on where it was: every field is saved, and none twice."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import scan_program

from edge.spool import open_spool
from wire.codec import decode_frame


def test_a_scan_killed_at_random_moments_takes_each_field_once(
    tmp_path, request: pytest.FixtureRequest
):
    fields, kills = (200, 50) if request.config.getoption("--full") else (24, 2)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    expected = Counter(_saved(whole) if _run(whole, fields) else [])
    assert max(expected.values()) == 1
    assert len(expected) > 0.8 * fields  # the rest is refused: hardly a cell in view

    rng = random.Random(5)
    for _ in range(kills):
        _run(killed, fields, kill_after=rng.uniform(0, 1.2 * fields / kills))
    assert _run(killed, fields)

    assert _saved(killed) == list(expected)  # once each, and in the plan's order


def _run(folder: Path, fields: int, kill_after: float | None = None) -> bool:
    """Whether the scan came to its end. It is killed after so many more fields, and a moment."""
    program = [sys.executable, scan_program.__file__, str(folder), str(fields)]
    paths = os.pathsep.join(path for path in sys.path if path)
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths}
    ) as running:
        assert running.stdout is not None
        if kill_after is not None:
            for _ in range(int(kill_after)):
                if not running.stdout.readline():
                    break
            time.sleep(kill_after % 1 * 0.05)  # anywhere within a field
            running.kill()
        running.stdout.read()
    return running.returncode == 0


def _saved(folder: Path) -> list[str]:
    """Places of the frames in the spool, in the order they were saved."""
    spool = open_spool(folder / "spool.db")
    places = [
        decode_frame(payload).camera
        for capture_id in spool.waiting(10_000)
        if (payload := spool.payload(capture_id)) is not None
    ]
    spool.close()
    return places
