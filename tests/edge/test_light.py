"""What a Raspberry Pi has to carry: nothing of training, of the model's runtime or of S3."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from edge_program import environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY_MODULES = {
    "boto3", "botocore", "keras", "matplotlib", "obstore", "onnx", "onnxruntime",
    "prometheus_client", "s3transfer", "scipy", "sklearn", "stamina", "tensorflow", "tf2onnx",
    "torch",
}  # fmt: skip
SOURCES = {"pywebpush"}
"""Asks for http-ece, which has no wheel; its source is Python alone and is built anywhere."""

HEAVY_PACKAGES = {
    "boto3", "botocore", "keras", "matplotlib", "obstore", "onnx", "onnxruntime",
    "prometheus-client", "s3transfer", "scikit-learn", "scipy", "stamina", "tensorflow",
    "tensorflow-cpu", "tf2onnx", "torch",
}  # fmt: skip
GLIBC = range(17, 37)  # Raspberry Pi OS Bookworm has glibc 2.36
PI = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in GLIBC)]
"""What a Pi takes; pip adds no older ones to a platform that is named."""


def requirements(extra):
    """What `pip install .[extra]` asks for first, base requirements included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def pip(*arguments, python=sys.executable, timeout=300):
    return subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def package_index(tmp_path_factory):
    """Skips where no package index answers; fails in CI."""
    folder = tmp_path_factory.mktemp("probe")
    probe = ["--no-deps", "--retries", "1", "--timeout", "10", "--dest", str(folder), "uuid6"]
    ended = pip("download", "--no-cache-dir", "--quiet", *probe)
    if ended.returncode != 0:
        reason = f"no package index answers: {ended.stderr.strip().splitlines()[-1:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.parametrize(
    "modules",
    ["edge", "edge.cli", "edge.station, edge.capture_cli", "edge.cameras.simulator"],
)
def test_importing_the_edge_loads_nothing_heavy(modules):
    program = f"import sys, json, {modules}; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name.partition(".")[0] for name in json.loads(ended.stdout)}
    assert "edge" in loaded
    assert loaded.isdisjoint(HEAVY_MODULES)
    assert loaded.isdisjoint({"cloud", "model", "deploy", "picamera2", "libcamera"})


def test_the_command_line_answers_without_loading_opencv():
    program = "import sys, edge.cli; print('cv2' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ended.stdout.strip() == "False"


def test_the_extra_for_the_edge_asks_for_nothing_heavy():
    asked = {canonicalize_name(requirement.name) for requirement in requirements("edge")}
    assert "paho-mqtt" in asked
    assert asked.isdisjoint(HEAVY_PACKAGES)


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["edge", "cloud"])
def test_wheels_for_a_64_bit_raspberry_pi_are_there(package_index, tmp_path, extra):
    """Resolved as for aarch64; but pip judges markers by the machine that it runs on."""
    report = tmp_path / "report.json"
    asked = [one for one in requirements(extra) if canonicalize_name(one.name) not in SOURCES]
    ended = pip(
        "install", "--dry-run", "--ignore-installed", "--only-binary", ":all:",
        "--target", str(tmp_path / "target"), "--report", str(report), "--quiet",
        "--python-version", "3.11", "--implementation", "cp",
        *(f"--platform={platform}" for platform in PI),
        *map(str, asked),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    wheels = [
        parse_wheel_filename(item["download_info"]["url"].rpartition("/")[2])
        for item in json.loads(report.read_text())["install"]
    ]
    names = {name for name, *_ in wheels}
    assert {canonicalize_name(requirement.name) for requirement in asked} <= names
    for name, _, _, tags in wheels:
        assert any(tag.platform == "any" or tag.platform.endswith("aarch64") for tag in tags), name
    if extra == "edge":
        assert names.isdisjoint(HEAVY_PACKAGES)


@pytest.mark.slow
def test_the_edge_installed_alone_is_light_and_takes_a_capture(package_index, tmp_path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python, command = venv / "bin" / "python", venv / "bin" / "leukoscope-edge"
    ended = pip("install", "--quiet", f"{ROOT}[edge]", python=python, timeout=600)
    assert ended.returncode == 0, ended.stderr
    listed = json.loads(pip("list", "--format", "json", python=python).stdout)
    installed = {canonicalize_name(item["name"]) for item in listed}
    assert "leukoscope" in installed
    assert installed.isdisjoint(HEAVY_PACKAGES)
    assert pip("check", python=python).returncode == 0

    settings = {"site": "home", "device": "scope-1", "data_dir": tmp_path / "d", "min_free_mb": 0}

    def run(*arguments):
        return subprocess.run(
            [command, *arguments],
            env=environment(broker__port=9, **settings),
            cwd=tmp_path,  # so that nothing is imported from the working tree
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    assert "capture" in run("--help").stdout
    captured = run("capture", "--slide", "A-1", "--wait", "0", "--json")
    assert captured.returncode == 4, captured.stderr
    assert json.loads(captured.stdout)["captures"][0]["state"] == "saved"
