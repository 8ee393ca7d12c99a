"""`leukoscope-model verify` says exactly what was altered, and misses nothing."""

import json
import random
from pathlib import Path

import pytest
from bundles import renamed_bundle, signing_keys
from typer.testing import CliRunner

from model.bundle.verify import findings, trusted
from model.cli import app
from wire.manifest import CARD_NAME, GRAPH_NAME, MANIFEST_NAME
from wire.signature import SIGNATURE_NAME

RUN = CliRunner()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return renamed_bundle(tmp_path / "bundle", "acgan", "1.0")


def verified(bundle: Path, *more: str) -> dict[str, object]:
    key = ["--key", str(signing_keys().public)]
    done = RUN.invoke(app, ["verify", str(bundle), *key, "--json", *more])
    told: dict[str, object] = json.loads(done.stdout)
    assert done.exit_code == (0 if told["sound"] else 1), done.output
    return told


def test_a_bundle_as_it_was_signed_is_sound(bundle: Path) -> None:
    told = verified(bundle)
    assert told["sound"]
    assert told["signature"] == "sound"
    assert told["signed_by"] == signing_keys().fingerprint


def test_all_that_is_wrong_stands_in_one_report(bundle: Path) -> None:
    (bundle / GRAPH_NAME).write_bytes(b"another graph")
    (bundle / CARD_NAME).unlink()
    (bundle / "hook.py").write_text("")
    path = bundle / MANIFEST_NAME
    path.write_text(path.read_text().replace("acgan", "agcan"))
    told = verified(bundle)
    assert told["changed"] == [GRAPH_NAME, MANIFEST_NAME]
    assert told["missing"] == [CARD_NAME]
    assert told["added"] == ["hook.py"]
    assert told["signature"] == "sound"
    text = RUN.invoke(app, ["verify", str(bundle), "--key", str(signing_keys().public)])
    assert text.exit_code == 1
    for name in (GRAPH_NAME, MANIFEST_NAME, CARD_NAME, "hook.py"):
        assert name in text.stdout


def test_an_altered_signature_is_told_from_altered_files(bundle: Path) -> None:
    path = bundle / SIGNATURE_NAME
    path.write_bytes(path.read_bytes().replace(b'"sig":"ME', b'"sig":"MA'))
    told = verified(bundle)
    assert told["signature"] == "altered"
    assert told["changed"] == told["missing"] == told["added"] == []


def test_a_bundle_without_a_signature_is_sound_only_where_none_is_asked_for(bundle: Path) -> None:
    (bundle / SIGNATURE_NAME).unlink()
    assert verified(bundle)["signature"] == "absent"
    assert verified(bundle, "--allow-unsigned")["signature"] == "not asked"


def test_one_bit_changed_anywhere_is_refused_and_its_file_is_named(bundle: Path) -> None:
    keys = trusted([signing_keys().public])
    draw = random.Random(2348)
    files = sorted(bundle.iterdir())
    assert len(files) == 5
    for number in range(400):
        file = files[number % len(files)]
        data = file.read_bytes()
        place = draw.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        found = findings(bundle, keys)
        assert not found.sound
        wanted = [] if file.name == SIGNATURE_NAME else [file.name]
        assert found.changed == wanted, (file.name, place)
        assert (found.signature == "sound") == bool(wanted)
        if number < len(files):
            assert not verified(bundle)["sound"]
        file.write_bytes(data)
    assert verified(bundle)["sound"]
