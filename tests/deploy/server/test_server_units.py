"""The units of worker and reading room, as systemd reads them."""

import configparser
import os
import re
import shutil
from pathlib import Path

import pytest
from processes import run

from cloud.settings import CloudSettings

SERVER = Path(__file__).resolve().parents[3] / "deploy" / "server"
UNITS = ("leukoscope-worker", "leukoscope-review")
PROGRAM = "/opt/leukoscope/venv/bin/leukoscope-cloud"
MOST_EXPOSED = 1.5
"""What `systemd-analyze security` may give them, of 10."""


@pytest.fixture
def analyze():
    """systemd-analyze; without it the test skips, and fails in CI."""
    found = shutil.which("systemd-analyze")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have systemd-analyze")
        pytest.skip("systemd-analyze is not installed (apt install systemd)")
    return found


@pytest.fixture(params=UNITS)
def unit(request, tmp_path):
    """A unit, its program replaced by one that is here: verify looks whether it can be run."""
    text = (SERVER / f"{request.param}.service").read_text()
    assert PROGRAM in text
    file = tmp_path / f"{request.param}.service"
    file.write_text(text.replace(PROGRAM, "/bin/true"))
    return file


def section(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(SERVER / f"{name}.service")
    return parser["Service"]


def test_systemd_finds_nothing_wrong_with_it(analyze, unit):
    ended = run(analyze, "verify", str(unit))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_it_is_hardened(analyze, unit):
    ended = run(analyze, "security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", ended.stdout)
    assert found, ended.stdout + ended.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_worker_and_reading_room_are_users_of_their_own_with_settings_of_their_own():
    worker, review = map(section, UNITS)
    assert worker["User"] != review["User"]
    assert worker["ExecStart"] == f"{PROGRAM} worker --config /etc/leukoscope/worker.toml"
    assert review["ExecStart"] == f"{PROGRAM} review --config /etc/leukoscope/review.toml"


@pytest.mark.parametrize("name", UNITS)
def test_wrong_settings_do_not_make_it_start_again_and_again(name):
    unit = section(name)
    assert unit["Restart"] == "always"
    assert unit["RestartPreventExitStatus"] == "2"  # the command line's code for settings


def test_the_worker_has_time_to_finish_what_it_has_in_hand():
    drain_s = CloudSettings.model_fields["drain_s"].default
    assert int(section("leukoscope-worker")["TimeoutStopSec"]) >= 2 * drain_s
