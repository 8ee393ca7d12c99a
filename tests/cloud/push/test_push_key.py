"""The key of the reading room, and the settings that go with it."""

import base64
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from cloud.cli import app
from cloud.push.keys import PushKeyError, load_push_key, new_push_key, public_part
from cloud.push.push import open_push
from cloud.settings import CloudSettings
from wire.settings import SettingsError


def test_the_command_makes_a_key_for_this_user_only_and_says_what_to_set(tmp_path):
    file = tmp_path / "push.pem"
    done = CliRunner().invoke(app, ["push-key", str(file)])
    assert done.exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    public = public_part(load_push_key(file))
    assert public in done.stdout
    assert "push_contact" in done.stdout
    assert len(base64.urlsafe_b64decode(public + "=")) == 65


def test_a_key_is_never_written_over(tmp_path):
    file = tmp_path / "push.pem"
    new_push_key(file)
    before = file.read_bytes()
    done = CliRunner().invoke(app, ["push-key", str(file)])
    assert done.exit_code == 1
    assert "never written over" in done.stderr
    assert file.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PushKeyError, match=r"none/push\.pem cannot be written"):
        new_push_key(tmp_path / "none" / "push.pem")


def test_a_file_that_is_no_such_key_is_named_with_what_to_do(tmp_path):
    file = tmp_path / "push.pem"
    with pytest.raises(PushKeyError, match="cannot be read"):
        load_push_key(file)
    file.write_text("no key")
    with pytest.raises(PushKeyError, match=r"push\.pem cannot be read"):
        load_push_key(file)
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(other)
    with pytest.raises(PushKeyError, match="make one with push-key"):
        load_push_key(file)


def test_without_a_key_there_is_no_push(database):
    assert open_push(CloudSettings(), database) is None


def test_with_key_and_contact_there_is(database, tmp_path):
    key = new_push_key(tmp_path / "push.pem")
    settings = CloudSettings(push_key=tmp_path / "push.pem", push_contact="mailto:it@lab.example")
    opened = open_push(settings, database)
    assert opened is not None
    assert opened.key == public_part(key)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ('push_key = "push.pem"', "push_key and push_contact go together"),
        ('push_contact = "mailto:it@lab.example"', "push_key and push_contact go together"),
        ('push_key = "x"\npush_contact = "it@lab.example"', "push_contact"),
        ('push_key = "x"\npush_contact = "mailto:it@lab"', "push_contact"),
        ('push_key = "x"\npush_contact = "http://lab.example"', "push_contact"),
        ("push_every_minutes = -1", "push_every_minutes"),
    ],
)
def test_settings_that_do_not_fit_are_named(tmp_path, file, sentence):
    config = tmp_path / "cloud.toml"
    config.write_text(file)
    with pytest.raises(SettingsError, match=sentence):
        CloudSettings.load(config)


@pytest.mark.parametrize("contact", ["mailto:it@lab.example", "https://lab.example"])
def test_what_the_settings_take_as_contact_push_services_get(tmp_path, contact):
    from py_vapid import Vapid

    key = new_push_key(tmp_path / "push.pem")
    claims = {"aud": "https://fcm.googleapis.com", "sub": contact, "exp": 1}
    assert Vapid(key).sign(claims)["Authorization"].startswith("vapid ")
    config = tmp_path / "cloud.toml"
    config.write_text(f'push_key = "push.pem"\npush_contact = "{contact}"')
    assert CloudSettings.load(config).push_contact == contact
