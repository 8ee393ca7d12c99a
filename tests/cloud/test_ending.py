"""A command's end: nothing that is done at a program's end is left out, and its code is kept."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading, time
sys.stdout.write("work ")
atexit.register(lambda: sys.stdout.write("tidied "))
threading.Thread(target=lambda: (time.sleep(0.3), sys.stdout.write("waited "))).start()
threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
from cloud.stores.ending import code_of, end_with
try:
    sys.exit({code!r})
except SystemExit as ended:
    end_with(code_of(ended))
"""


def ended(code):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(code=code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("code", "expected", "said"), [(None, 0, ""), (0, 0, ""), (3, 3, ""), ("no", 1, "no\n")]
)
def test_it_ends_with_its_code_when_all_is_done(code, expected, said):
    found = ended(code)
    assert (found.returncode, found.stderr) == (expected, said)
    assert found.stdout == "work waited tidied "
