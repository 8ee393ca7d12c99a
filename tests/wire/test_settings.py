import os
import traceback

import pytest
from pydantic import ValidationError

from cloud.settings import CloudSettings
from edge.settings import EdgeSettings
from wire.broker import BrokerSettings
from wire.codec import encode_frame
from wire.limits import MAX_CELLS
from wire.messages import Box, Frame, Quality
from wire.settings import SettingsError

STATION = 'site = "home"\ndevice = "scope-1"\n'
ROOMS = [(EdgeSettings, "LEUKOSCOPE_EDGE_"), (CloudSettings, "LEUKOSCOPE_CLOUD_")]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("LEUKOSCOPE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path):
    """Writes a settings file."""

    def write(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return path

    return write


def text_of(file, room=EdgeSettings):
    with pytest.raises(SettingsError) as caught:
        room.load(file)
    return str(caught.value)


def test_the_environment_wins_over_the_file_and_what_is_given_wins_over_both(file, monkeypatch):
    path = file(
        STATION + 'window = 5\ncamera = "folder:/a"\n[broker]\nhost = "from-file"\nport = 1\n'
    )
    monkeypatch.setenv("LEUKOSCOPE_EDGE_CAMERA", "from-environment")
    monkeypatch.setenv("LEUKOSCOPE_EDGE_BROKER__PORT", "2")
    monkeypatch.setenv("LEUKOSCOPE_EDGE_DEVICE", "scope-2")
    settings = EdgeSettings.load(path, device="scope-3", camera=None)
    assert settings.window == 5
    assert settings.camera == "from-environment"
    assert (settings.broker.host, settings.broker.port) == ("from-file", 2)
    assert settings.device == "scope-3"


def test_the_file_may_be_named_in_the_environment(file, monkeypatch):
    monkeypatch.setenv("LEUKOSCOPE_EDGE_CONFIG", str(file(STATION + "window = 7\n")))
    assert EdgeSettings.load().window == 7


def test_a_missing_setting_names_itself_and_its_variable():
    said = text_of(None)
    assert "  site: Field required (also settable as LEUKOSCOPE_EDGE_SITE)" in said
    assert "LEUKOSCOPE_EDGE_DEVICE" in said


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("colour = 'red'", "colour"),
        ("[broker]\nhosst = 'x'", "broker.hosst"),
        ("[broker]\npassword = 123456", "broker.password"),
        ("[broker]\nprotocol = '4'", "broker.protocol"),
        ("[broker]\nhost = ''", "broker.host"),
        ("[broker]\ncert_file = 'c.pem'", "broker"),
        ("window = 'many'", "window"),
        ("window = 0", "window"),
        ("resend_after_s = 0", "resend_after_s"),
        ("status_every_s = -1", "status_every_s"),
        ("min_free_mb = -1", "min_free_mb"),
        ("image_budget_bytes = 100", "image_budget_bytes"),
    ],
)
def test_a_wrong_or_unknown_setting_of_the_edge_names_itself_and_its_file(file, line, named):
    path = file(STATION + line + "\n")
    said = text_of(path)
    assert f"  {named}: " in said
    assert str(path) in said
    assert len(said.splitlines()) == 2  # and nothing else is wrong


def test_an_unknown_setting_is_not_offered_as_a_variable(file):
    assert "LEUKOSCOPE_EDGE_COLOUR" not in text_of(file(STATION + "colour = 1\n"))


@pytest.mark.parametrize("name", ["a/b", "+", "", "frames", "x" * 64, "naïve"])
def test_a_site_or_device_that_cannot_stand_in_a_topic_is_refused(file, name):
    assert "  site: " in text_of(file(f'site = "{name}"\ndevice = "scope-1"\n'))
    assert "  device: " in text_of(file(f'site = "home"\ndevice = "{name}"\n'))


@pytest.mark.parametrize(("room", "prefix"), ROOMS)
def test_a_misspelt_variable_is_refused_by_name(room, prefix, monkeypatch):
    monkeypatch.setenv(prefix + "SITTE", "home")
    assert f"{prefix}SITTE is no setting" in text_of(None, room)
    monkeypatch.delenv(prefix + "SITTE")
    monkeypatch.setenv(prefix + "BROKER__HOSST", "x")
    assert "  broker.hosst: " in text_of(None, room)


@pytest.mark.parametrize(("room", "prefix"), ROOMS)
def test_a_variable_of_the_wrong_type_is_named(room, prefix, monkeypatch):
    monkeypatch.setenv(prefix + "BROKER__PORT", "mqtt")
    assert f"(also settable as {prefix}BROKER__PORT)" in text_of(None, room)


@pytest.mark.parametrize(("room", "prefix"), ROOMS)
def test_a_group_that_is_not_json_is_named_and_not_shown(room, prefix, monkeypatch):
    monkeypatch.setenv(prefix + "BROKER", '{"password": "geheim"')
    said = text_of(None, room)
    assert '"broker"' in said
    assert "geheim" not in said


@pytest.mark.parametrize("content", [b"site = ", b"site = 'a'\nsite = 'b'\n", b"\xff\xfe\0"])
@pytest.mark.parametrize("room", [EdgeSettings, CloudSettings])
def test_a_file_that_is_not_toml_is_named(tmp_path, room, content):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    assert f"cannot be read (file {path})" in text_of(path, room)


def test_a_missing_file_is_named(tmp_path):
    assert str(tmp_path / "absent.toml") in text_of(tmp_path / "absent.toml")


def test_a_password_is_never_shown(file):
    path = file(STATION + '[broker]\nusername = "scope"\npassword = "geheim"\n')
    settings = EdgeSettings.load(path)
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "geheim" not in shown
    assert settings.broker.password.get_secret_value() == "geheim"


def test_a_mistyped_password_is_not_shown_in_the_traceback_either(file):
    path = file(STATION + "[broker]\npassword = 19283746\n")
    with pytest.raises(SettingsError) as caught:
        EdgeSettings.load(path)
    assert "19283746" not in "".join(traceback.format_exception(caught.value))


def test_settings_cannot_change_while_the_agent_runs():
    settings = EdgeSettings(site="home", device="scope-1")
    with pytest.raises(ValidationError):
        settings.window = 1


def test_an_image_budget_that_the_broker_would_not_carry_is_refused_and_told(file, monkeypatch):
    said = text_of(file(STATION + "image_budget_bytes = 131072\n"))
    assert "at most 122880" in said
    assert "broker.max_payload_bytes" in said
    path = file(STATION + "image_budget_bytes = 131072\n[broker]\nmax_payload_bytes = 262144\n")
    assert EdgeSettings.load(path).image_budget_bytes == 131072


def test_the_largest_frame_within_the_budget_passes_the_broker():
    largest = max((2**16 - 1,) * 4)
    frame = Frame(
        capture_id="0197c552-919a-7c3e-9f2d-3b5a8e4d1c20",
        site="s" * 63,
        device="d" * 63,
        slide="t" * 63,
        captured_at="2025-07-01T09:30:12.250000Z",
        width=largest,
        height=largest,
        sha256="a" * 64,
        image=bytes(EdgeSettings(site="s", device="d").image_budget_bytes),
        camera="opencv:/dev/v4l/by-id/" + "x" * 200,
        quality=Quality(focus=1 / 3, brightness=1 / 3, clipped=1 / 3, cast=1 / 3, tissue=1 / 3),
        finder="f" * 40,
        cells=[Box(largest, largest, largest, largest)] * MAX_CELLS,
    )
    assert len(encode_frame(frame)) <= BrokerSettings().max_payload_bytes
