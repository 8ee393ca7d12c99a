"""Keys and signatures: what model-signing writes, and what is read of it."""

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles import renamed_bundle, signing_keys

from model.bundle.signing import new_keys, sign
from model.errors import ModelError
from wire.integrity import examine
from wire.manifest import CARD_NAME, GENERATOR_NAME, GRAPH_NAME, MANIFEST_NAME
from wire.signature import (
    REFERENCE_KEYS,
    SIGNATURE_NAME,
    PublicKeyError,
    SignatureError,
    UnsignedError,
    UntrustedError,
    load_keys,
    signed_files,
)

KEYS = load_keys([signing_keys().public])
ROOT = Path(__file__).parents[3]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return renamed_bundle(tmp_path / "bundle", "acgan", "1.0")


def test_a_private_key_is_for_its_owner_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    pair = new_keys(tmp_path / "keys")
    assert stat.S_IMODE(pair.private.stat().st_mode) == 0o600
    assert b"PRIVATE" not in pair.public.read_bytes()
    before = pair.private.read_bytes()
    with pytest.raises(ModelError, match=r"is there already: give --out another"):
        new_keys(tmp_path / "keys")
    pair.public.unlink()
    with pytest.raises(ModelError, match=r"leukoscope\.key is there already"):
        new_keys(tmp_path / "keys")
    assert pair.private.read_bytes() == before


def test_a_signature_vouches_for_every_other_file_of_the_bundle(bundle: Path) -> None:
    signed_by, files = signed_files(bundle, KEYS)
    assert signed_by == signing_keys().fingerprint
    assert files.keys() == {CARD_NAME, GENERATOR_NAME, GRAPH_NAME, MANIFEST_NAME}


def test_model_signing_accepts_what_is_signed_here(bundle: Path) -> None:
    from model_signing import verifying

    config = verifying.Config().use_elliptic_key_verifier(public_key=signing_keys().public)
    config.verify(bundle, bundle / SIGNATURE_NAME)
    (bundle / CARD_NAME).write_text("another")
    with pytest.raises(ValueError, match=CARD_NAME):
        config.verify(bundle, bundle / SIGNATURE_NAME)


def test_a_bundle_keeps_its_signature_under_another_folder_s_name(bundle: Path) -> None:
    moved = bundle.rename(bundle.parent / "elsewhere")
    assert examine(moved, KEYS).sound


def test_no_signature_and_a_strange_key_are_told_apart(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UntrustedError, match="not among the 0 trusted"):
        signed_files(bundle, {})
    stranger = load_keys([new_keys(tmp_path / "keys").public])
    with pytest.raises(UntrustedError, match=signing_keys().fingerprint[:12]):
        signed_files(bundle, stranger)
    (bundle / SIGNATURE_NAME).unlink()
    with pytest.raises(UnsignedError, match="is not signed"):
        signed_files(bundle, KEYS)


@pytest.mark.parametrize(
    "changed",
    [
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b'"hint"', b'"iint"'),
        lambda raw: raw.replace(b'"tlogEntries":[]', b'"tlogEntries":[1]'),
        lambda raw: raw.replace(b'"sig":"ME', b'"sig":"MA'),
        lambda raw: b"[" * 3000,
        lambda raw: b"",
    ],
)
def test_a_signature_has_one_right_spelling(
    changed: Callable[[bytes], bytes], bundle: Path
) -> None:
    path = bundle / SIGNATURE_NAME
    raw = path.read_bytes()
    assert changed(raw) != raw
    path.write_bytes(changed(raw))
    with pytest.raises(SignatureError, match=SIGNATURE_NAME):
        signed_files(bundle, KEYS)


def test_what_cannot_sign_is_refused_with_what_to_give(bundle: Path, tmp_path: Path) -> None:
    for file in (tmp_path / "nothing.key", bundle / CARD_NAME, signing_keys().public):
        with pytest.raises(ModelError, match=rf"{file.name}.*give the \.key file"):
            sign(bundle, file)
    with pytest.raises(ModelError, match="is no bundle"):
        sign(tmp_path / "nowhere", signing_keys().private)


def test_what_is_no_public_key_is_refused_by_name(bundle: Path) -> None:
    with pytest.raises(PublicKeyError, match=rf"{CARD_NAME} is no public key"):
        load_keys([bundle / CARD_NAME])


def test_the_key_that_comes_with_leukoscope_is_public_and_no_private_one_is_in_git() -> None:
    assert len(load_keys(REFERENCE_KEYS)) >= 1
    asked = ["git", "grep", "-lE", "BEGIN [A-Z ]*" + "PRIVATE KEY"]
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1, 128), found.stderr  # 128: no checkout of git
    assert found.stdout == ""
    assert "*.key" in (ROOT / ".gitignore").read_text().splitlines()
