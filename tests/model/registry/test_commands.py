"""The registry on the command line: teaches, answers programs, and says what was wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundles import signing_keys
from typer.testing import CliRunner

from model.bundle.signing import new_keys
from model.cli import app
from model.errors import ModelError
from model.registry.bucket import Bucket
from model.registry.publish import publish
from model.registry.settings import ModelSettings
from wire.settings import SettingsError
from wire.store import BucketSettings

pytestmark = pytest.mark.system

Bundles = Callable[[str], Path]


@pytest.fixture
def invoke(settings: BucketSettings, tmp_path: Path) -> Callable[..., Any]:
    """Runs `leukoscope-model … --config FILE`."""
    secret = settings.secret_access_key
    assert secret is not None
    file = tmp_path / "model.toml"
    file.write_text(
        f'[store]\nbucket = "{settings.bucket}"\nendpoint = "{settings.endpoint}"\n'
        f'access_key_id = "{settings.access_key_id}"\n'
        f'secret_access_key = "{secret.get_secret_value()}"\n'
    )

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, [*arguments, "--config", str(file)], env={"COLUMNS": "300"})

    return run


def test_from_a_bundle_to_live_and_back_on_the_command_line(
    invoke: Callable[..., Any], bundle: Bundles
) -> None:
    for version in ("1.0", "1.1"):
        said = invoke("publish", str(bundle(version)), "--key", str(signing_keys().public))
        assert said.exit_code == 0, said.output
        assert f"leukoscope-model promote acgan {version}" in said.stdout
        assert invoke("promote", "acgan", version).exit_code == 0
    assert "acgan 1.1: promoted already" in invoke("promote", "acgan", "1.1").stdout

    said = invoke("models", "acgan")
    assert "acgan: 1.1 is live" in said.stdout
    assert "balanced accuracy, deepapl" in said.stdout
    assert "Research use only" in said.stdout

    assert "acgan 1.0: rolled back to" in invoke("rollback", "acgan").stdout
    answer = json.loads(invoke("models", "acgan", "--json").stdout)
    assert answer["live"]["version"] == "1.0"
    assert [(v["version"], v["live"]) for v in answer["versions"]] == [
        ("1.0", True),
        ("1.1", False),
    ]
    assert answer["versions"][0]["manifest"]["metrics"]


def test_a_bundle_published_under_another_version_is_said_to_keep_its_own(
    invoke: Callable[..., Any], bundle: Bundles
) -> None:
    wanted = ("--version", "2.0", "--allow-unsigned", "--json")
    said = invoke("publish", str(bundle("1.0")), *wanted)
    assert json.loads(said.stdout)["version"] == "2.0"
    assert "results will name it acgan 1.0" in " ".join(said.stderr.split())


def test_a_bundle_that_nobody_trusted_has_signed_is_not_published(
    invoke: Callable[..., Any], bundle: Bundles, tmp_path: Path
) -> None:
    stranger = new_keys(tmp_path / "keys").public
    said = invoke("publish", str(bundle("1.0")), "--key", str(stranger))
    assert said.exit_code == 1
    assert "model.sig names the key" in said.stderr
    assert "not among the 1 trusted" in said.stderr
    assert "there is no version of acgan" in " ".join(invoke("models", "acgan").stderr.split())


def test_the_next_command_is_said_as_it_is_to_be_typed(
    invoke: Callable[..., Any], bundle: Bundles, tmp_path: Path
) -> None:
    said = invoke("publish", str(bundle("1.0")), "--allow-unsigned")
    words = " ".join(said.stdout.replace("│", " ").split())
    promotion = f"leukoscope-model promote acgan 1.0 --config {tmp_path}/model.toml"
    assert promotion in words
    invoke("promote", "acgan", "1.0")
    words = " ".join(invoke("promote", "acgan", "1.0").stdout.replace("│", " ").split())
    assert "leukoscope-model promote acgan 1.0 --again" in words


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("promote", "acgan", "9.9"), "acgan 9.9 is not complete"),
        (("promote", "acgan", "../x"), "version '../x' is not usable"),
        (("rollback", "acgan"), "nothing of acgan was promoted yet"),
        (("models", "acgan"), "there is no version of acgan"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_exit_code_1(
    invoke: Callable[..., Any], arguments: tuple[str, ...], sentence: str
) -> None:
    said = invoke(*arguments)
    assert said.exit_code == 1
    assert sentence in " ".join(said.stderr.split())


def test_a_store_that_is_away_is_named_with_the_settings_that_say_where_it_is() -> None:
    env = {"LEUKOSCOPE_MODEL_STORE__ENDPOINT": "http://127.0.0.1:9"} | {
        "LEUKOSCOPE_MODEL_STORE__ACCESS_KEY_ID": "a",
        "LEUKOSCOPE_MODEL_STORE__SECRET_ACCESS_KEY": "b",
    }
    said = CliRunner().invoke(app, ["models", "acgan"], env=env)
    assert said.exit_code == 1
    words = " ".join(said.stderr.split())
    assert "127.0.0.1:9" in words
    assert "Check [store] in the settings" in words


def test_a_bucket_that_is_not_there_is_named_with_what_makes_it(
    settings: BucketSettings, bundle: Bundles
) -> None:
    absent = settings.model_copy(update={"bucket": "not-there"})
    with Bucket(absent) as opened, pytest.raises(ModelError) as caught:
        publish(bundle("1.0"), opened)
    assert "there is no bucket not-there" in str(caught.value)
    assert "run leukoscope-cloud setup" in str(caught.value)


def test_the_variable_of_the_cells_cache_is_no_wrong_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEUKOSCOPE_MODEL_CACHE", "/anywhere")
    assert ModelSettings.load().store == BucketSettings()
    monkeypatch.setenv("LEUKOSCOPE_MODEL_CASH", "/anywhere")
    with pytest.raises(SettingsError, match="LEUKOSCOPE_MODEL_CASH is no setting"):
        ModelSettings.load()


def test_a_wrong_setting_is_named_with_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "model.toml"
    file.write_text("[store]\nbukket = 'x'\n")
    said = CliRunner().invoke(app, ["models", "acgan", "--config", str(file)])
    assert said.exit_code == 2
    assert "store.bukket" in said.stderr
