"""The bench of the reading room, small: its figures are of a room that works."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "review.py"


@pytest.mark.system
def test_a_few_readers_at_a_real_server_meet_no_error():
    sizes = ["--slides", "200", "--times", "3", "--loaded", "6", "--cells", "25"]
    many = ["--readers", "4", "--seconds", "5", "--json"]
    ran = subprocess.run(
        [sys.executable, str(BENCH), *sizes, *many],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout[ran.stdout.index("{") :])
    assert set(found["pages"]) >= {"worklist", "slide", "reclassify"}
    assert found["queries"]["first page"]["times"] == 3
    assert found["readers"]["errors"] == {}
    assert found["readers"]["requests"] >= 8
    assert found["readers"]["events"]["part-lines"] >= 1


def test_an_error_of_a_reader_is_an_error_of_the_bench():
    bench = runpy.run_path(str(BENCH))
    tally = bench["Tally"]()
    tally.errors["slide: 500"] += 1
    tally.took_ms["slide"] += [1.0, 3.0]
    told = bench["told"](tally, 2.0)
    assert told["errors"] == {"slide: 500": 1}
    assert (told["requests"], told["requests_per_s"]) == (2, 1.0)
    assert told["asked"]["slide"]["p50"] == 2.0
