"""The agent's unit, as systemd reads it."""

import configparser
import os
import re
import shutil
from pathlib import Path

import pytest
from processes import run

from edge.settings import EdgeSettings

ROOT = Path(__file__).resolve().parent.parent.parent.parent
UNIT = ROOT / "deploy" / "pi" / "leukoscope-edge.service"
MOST_EXPOSED = 1.7
"""What `systemd-analyze security` may give it, of 10; docs/pi.md tells what it gave."""


class Unit(dict[str, list[str]]):
    """Its [Service] section; a key may stand there several times."""

    def __init__(self) -> None:
        super().__init__()
        section = UNIT.read_text().split("[Service]")[1].split("[Install]")[0]
        for line in section.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.partition("=")
                self.setdefault(name, []).append(value)


@pytest.fixture
def analyze():
    """systemd-analyze; without it the test skips, and fails in CI."""
    found = shutil.which("systemd-analyze")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have systemd-analyze")
        pytest.skip("systemd-analyze is not installed (apt install systemd)")
    return found


@pytest.fixture
def copy(tmp_path):
    """The unit, its program replaced by one that is here: verify looks whether it can be run."""
    text = UNIT.read_text()
    program = "/opt/leukoscope/venv/bin/leukoscope-edge"
    assert program in text
    file = tmp_path / UNIT.name
    file.write_text(text.replace(program, "/bin/true"))
    return file


def test_systemd_finds_nothing_wrong_with_it(analyze, copy):
    ended = run(analyze, "verify", str(copy))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_misspelt_line_would_have_been_found(analyze, copy):
    copy.write_text(copy.read_text().replace("WatchdogSec=90", "WatchdogSecs=90"))
    ended = run(analyze, "verify", str(copy))
    assert "WatchdogSecs" in ended.stderr


def test_it_is_hardened(analyze, copy):
    """Without devices and network the figure could be lower; without a camera it would be none."""
    ended = run(analyze, "security", "--offline=true", "--no-pager", str(copy))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", ended.stdout)
    assert found, ended.stdout + ended.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_the_watchdog_has_more_patience_than_a_camera_that_hangs():
    hang_s = EdgeSettings(site="home", device="scope-1").camera_hang_s
    (patience_s,) = (int(value) for value in Unit()["WatchdogSec"])
    assert patience_s > 3 * hang_s


def test_devices_that_the_agent_needs_are_let_through():
    let_in = set(Unit()["DeviceAllow"])
    for device in ("video4linux", "media", "dma_heap", "gpiochip", "i2c", "ttyACM", "ttyUSB"):
        assert f"char-{device} rw" in let_in


def test_wrong_settings_do_not_make_it_start_again_and_again():
    unit = Unit()
    assert unit["Restart"] == ["always"]
    assert unit["RestartPreventExitStatus"] == ["2"]  # the command line's code for settings


def test_its_folders_are_those_of_the_settings_template():
    unit, template = Unit(), (UNIT.parent / "edge.toml").read_text()
    assert f'data_dir = "/var/lib/{unit["StateDirectory"][0]}"' in template
    install = (UNIT.parent / "install.sh").read_text()
    assert f"readonly STATE=/var/lib/{unit['StateDirectory'][0]}" in install
    assert "--config /etc/leukoscope/edge.toml" in unit["ExecStart"][0]


def test_it_is_started_with_the_machine():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    assert parser["Install"]["WantedBy"] == "multi-user.target"
    assert parser["Service"]["Type"] == "notify"
