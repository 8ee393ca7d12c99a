"""install.sh: sound shell, asks nothing, and a dry run does nothing, however often."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from processes import program, run

from edge.settings import EdgeSettings

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PI = ROOT / "deploy" / "pi"
SCRIPTS = [
    PI / "install.sh",
    PI / "leukoscope-edge",
    ROOT / ".ci" / "run",
    ROOT / "tests" / "bench" / "pi_service.sh",
]


@pytest.fixture
def apart(tmp_path):
    """A copy of the folder where it lies in a checkout, so that what a run leaves would show."""
    shutil.copytree(PI, tmp_path / "deploy" / "pi")
    return tmp_path / "deploy" / "pi"


def ends(stdout: str) -> list[str]:
    return [line for line in stdout.splitlines() if not line.startswith("would stop here")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_the_shell_can_read_it_and_shellcheck_finds_nothing(script):
    assert run("bash", "-n", str(script)).returncode == 0
    checked = run(program("shellcheck"), str(script))
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_it_can_be_executed(script):
    assert os.access(script, os.X_OK)


def test_two_dry_runs_say_the_same_and_do_nothing(apart):
    before = sorted(apart.rglob("*"))
    first = run(str(apart / "install.sh"), "--dry-run")
    again = run(str(apart / "install.sh"), "--dry-run")
    assert first.returncode == again.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    assert first.stderr == again.stderr == ""
    assert first.stdout.splitlines()[-1] == "Nothing was done."
    assert sorted(apart.rglob("*")) == before
    assert not Path("/etc/leukoscope").exists()
    assert not Path("/opt/leukoscope").exists()


def test_a_dry_run_tells_every_step(apart):
    said = run(str(apart / "install.sh"), "--dry-run").stdout
    for step in (
        "python3-picamera2",
        "useradd --system",
        "venv --clear --system-site-packages /opt/leukoscope/venv",
        f"--constraint {apart}/constraints.txt",
        "/etc/leukoscope/edge.toml",
        "/etc/udev/rules.d/60-leukoscope.rules",
        "/etc/systemd/system/leukoscope-edge.service",
        "systemctl enable",
        "systemctl restart --no-block",
    ):
        assert step in said, step
    assert all(
        line.startswith(("would ", "apt: all there", "Nothing was done.")) for line in ends(said)
    )


def test_no_start_leaves_the_service_as_it_is(apart):
    said = run(str(apart / "install.sh"), "--dry-run", "--no-start").stdout
    assert "systemctl enable" in said
    assert "systemctl restart" not in said


def test_a_machine_that_is_no_pi_is_told_and_left_alone(apart):
    """Only where nothing could be done anyway: elsewhere this would install."""
    if os.uname().machine == "aarch64":
        pytest.skip("this machine could be a Pi: not run without --dry-run")
    ended = run(str(apart / "install.sh"))
    assert ended.returncode == 1
    assert "arm64" in ended.stderr or "Raspberry Pi OS" in ended.stderr
    assert ended.stdout == ""
    assert not Path("/opt/leukoscope").exists()


def test_an_unknown_argument_is_wrong_usage_and_help_says_what_it_does(apart):
    assert run(str(apart / "install.sh"), "--yes").returncode == 2
    told = run(str(apart / "install.sh"), "--help")
    assert told.returncode == 0
    assert "Research use only" in told.stdout


def test_the_template_is_read_as_settings(tmp_path, monkeypatch):
    file = tmp_path / "edge.toml"
    file.write_text((PI / "edge.toml").read_text().replace("@DEVICE@", "scope-1"))
    for name in [name for name in os.environ if name.startswith("LEUKOSCOPE_EDGE_")]:
        monkeypatch.delenv(name)
    settings = EdgeSettings.load(file)
    assert settings.device == "scope-1"
    assert settings.camera == "picamera2"
    assert settings.panel.button_gpio == 17


def test_the_template_s_commented_settings_are_settings_too(tmp_path):
    text = (PI / "edge.toml").read_text().replace("@DEVICE@", "scope-1")
    swapped = re.sub(r"^port = 1883\n", "", text, flags=re.MULTILINE)
    shown = re.sub(r"^# (\w+ = )", r"\1", swapped, flags=re.MULTILINE)
    settings = EdgeSettings.model_validate(tomllib.loads(shown))
    assert settings.broker.port == 8883
    assert settings.broker.cert_file == Path("/etc/leukoscope/scope-1.pem")
    assert settings.stage == "serial:/dev/leukoscope-stage"


def test_every_udev_rule_is_one():
    term = r'[A-Z_]+(\{\w+\})?(==|\+=|=)"[^"]*"'
    rules = [
        line
        for line in (PI / "60-leukoscope.rules").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules
    for rule in rules:
        assert re.fullmatch(rf"{term}(, {term})*", rule), rule
        assert 'GROUP="' in rule


def test_the_command_uses_the_station_s_settings_unless_told_otherwise(tmp_path):
    """With the program it calls replaced by one that says what it was given."""
    stand_in = tmp_path / "program"
    stand_in.write_text('#!/bin/sh\necho "$LEUKOSCOPE_EDGE_CONFIG" "$@"\n')
    stand_in.chmod(0o755)
    (tmp_path / "bin").mkdir()
    runuser = tmp_path / "bin" / "runuser"
    runuser.write_text('#!/bin/sh\necho "as $2"\nshift 3\nexec "$@"\n')
    runuser.chmod(0o755)
    text = (PI / "leukoscope-edge").read_text()
    command = tmp_path / "leukoscope-edge"
    command.write_text(text.replace("/opt/leukoscope/venv/bin/leukoscope-edge", str(stand_in)))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEUKOSCOPE_EDGE_")}
    environment = kept | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}

    def say(**more: str) -> list[str]:
        ended = subprocess.run(
            ["/bin/sh", command, "doctor", "--json"], env=environment | more,
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
        return ended.stdout.splitlines()

    as_agent = ["as leukoscope"] if os.getuid() == 0 else []
    assert say() == [*as_agent, "/etc/leukoscope/edge.toml doctor --json"]
    assert say(LEUKOSCOPE_EDGE_CONFIG="/tmp/x.toml")[-1] == "/tmp/x.toml doctor --json"  # noqa: S108  # a name


@pytest.mark.slow
def test_with_the_constraints_a_bookworm_pi_gets_no_numpy_2(tmp_path):
    """Resolved as for aarch64; pip judges the markers by the Python that it runs on."""
    if sys.version_info >= (3, 13):
        pytest.skip("the constraints of Bookworm are for Python below 3.13")
    wanted = [
        line
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        if Requirement(line).name in ("numpy", "opencv-python-headless")
    ]
    assert len(wanted) == 2
    report = tmp_path / "report.json"
    platforms = ["manylinux2014_aarch64", *(f"manylinux_2_{n}_aarch64" for n in range(17, 37))]
    ended = run(
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input",
        "install", "--dry-run", "--ignore-installed", "--only-binary", ":all:", "--quiet",
        "--target", str(tmp_path / "target"), "--report", str(report), "--retries", "1",
        "--python-version", "3.11", "--implementation", "cp",
        *(f"--platform={platform}" for platform in platforms),
        "--constraint", str(PI / "constraints.txt"),
        *wanted,
        timeout=300,
    )  # fmt: skip
    if "No matching distribution" in ended.stderr and "from versions: none" in ended.stderr:
        if os.environ.get("CI") == "true":
            pytest.fail(ended.stderr)
        pytest.skip("no package index answers")
    assert ended.returncode == 0, ended.stderr
    versions = {
        canonicalize_name(item["metadata"]["name"]): Version(item["metadata"]["version"])
        for item in json.loads(report.read_text())["install"]
    }
    assert versions["numpy"].major == 1
    assert versions["opencv-python-headless"] < Version("4.12")


def test_no_package_of_apt_s_is_asked_of_pip():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {Requirement(line).name for line in project["optional-dependencies"]["edge"]}
    assert names.isdisjoint({"picamera2", "lgpio", "libcamera"})
