import os

import pytest
from pydantic import ValidationError

from cloud.settings import CloudSettings, StoreSettings
from wire.settings import SettingsError


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in list(os.environ):
        if name.startswith("LEUKOSCOPE_CLOUD_"):
            monkeypatch.delenv(name)


def test_without_a_file_the_worker_serves_this_machine_only():
    settings = CloudSettings.load()
    assert settings.broker.host == "127.0.0.1"
    assert settings.http_host == "127.0.0.1"
    assert settings.site is None
    assert 1 <= settings.threads <= 4


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "cloud.toml"
    file.write_text('name = "from-file"\nin_hand = 5\n[store]\nbucket = "from-file"\n')
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_NAME", "from-environment")
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_STORE__SECRET_ACCESS_KEY", "geheim")
    settings = CloudSettings.load(file)
    assert (settings.name, settings.in_hand) == ("from-environment", 5)
    assert settings.store.bucket == "from-file"
    assert settings.store.secret_access_key.get_secret_value() == "geheim"


def test_a_secret_is_never_shown():
    settings = CloudSettings(store={"secret_access_key": "geheim"}, broker={"password": "auch"})
    assert "geheim" not in repr(settings)
    assert "auch" not in repr(settings)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("in_hand = 0", "in_hand"),
        ("threads = 100", "threads"),
        ("http_port = 70000", "http_port"),
        ("drain_s = -1", "drain_s"),
        ("colour = 'red'", "colour"),
        ("[store]\nbukket = 'x'", "store.bukket"),
        ("[store]\nbucket = 'x'", "store.bucket"),
        ("[store]\nendpoint = '127.0.0.1:8333'", "store.endpoint"),
        ("[store]\nendpoint = 'ftp://store'", "store.endpoint"),
        ("[broker]\nport = 0", "broker.port"),
    ],
)
def test_a_wrong_setting_names_itself_and_its_file(tmp_path, line, named):
    file = tmp_path / "cloud.toml"
    file.write_text(line + "\n")
    with pytest.raises(SettingsError) as caught:
        CloudSettings.load(file)
    assert f"  {named}: " in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_misspelt_variable_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_BUKKET", "x")
    with pytest.raises(SettingsError, match="LEUKOSCOPE_CLOUD_BUKKET is no setting"):
        CloudSettings.load()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"no settings file .*absent\.toml"):
        CloudSettings.load(tmp_path / "absent.toml")


def test_settings_cannot_change_while_the_worker_runs():
    with pytest.raises(ValidationError):
        StoreSettings().bucket = "other"
