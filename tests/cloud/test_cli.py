import subprocess
import sys

import pytest
import tomli_w


def cloud(*arguments, timeout=60):
    """Run `leukoscope-cloud` as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "cloud", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture
def config(tmp_path, store):
    """`config(…)` writes a settings file, changed in places."""

    def write(store_changes=None, **changes):
        plain = store.model_dump(exclude_none=True, exclude={"secret_access_key"})
        secret = {"secret_access_key": store.secret_access_key.get_secret_value()}
        file = tmp_path / "cloud.toml"
        file.write_text(tomli_w.dumps({"store": plain | secret | (store_changes or {})} | changes))
        return str(file)

    return write


def test_setup_ends_with_0_and_tells_each_step(config):
    done = cloud("setup", "--config", config({"bucket": "by-command-line"}))
    assert done.returncode == 0, done.stderr
    assert "bucket by-command-line created" in done.stdout


def test_setup_of_an_unreachable_store_ends_with_1_and_a_sentence(config):
    done = cloud("setup", "--config", config({"endpoint": "http://127.0.0.1:9"}))
    assert done.returncode == 1
    assert "the store cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_ends_with_2_and_names_itself(config):
    done = cloud("worker", "--config", config(in_hand=0))
    assert done.returncode == 2
    assert "in_hand" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_site_that_is_no_name_ends_with_2(config):
    done = cloud("worker", "--config", config(site="no/name"))
    assert done.returncode == 2
    assert "'no/name' is not usable" in done.stderr


def test_a_worker_with_a_folder_that_is_no_bundle_ends_with_1(config, tmp_path):
    done = cloud("worker", "--config", config(bundle=str(tmp_path)))
    assert done.returncode == 1
    assert "is not a model bundle" in done.stderr
    assert "Traceback" not in done.stderr


def test_results_without_follow_ends_with_2_and_says_where_stored_ones_are(config):
    done = cloud("results", "--config", config())
    assert done.returncode == 2
    assert "--follow" in done.stderr


def test_looking_at_results_loads_neither_boto3_nor_onnxruntime():
    program = (
        "import sys, cloud.cli, cloud.follow;"
        "print([m for m in ('boto3', 'onnxruntime', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command", [[], ["worker"], ["setup"], ["results"], ["reindex"], ["verify"]]
)
def test_help_teaches(command):
    done = cloud(*command, "--help")
    assert done.returncode == 0
    assert "config" in done.stdout.lower()
