"""What was taken from npm is what its README says, wherever a page keeps such."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = sorted(
    folder for room in ("wire", "edge", "cloud") for folder in (ROOT / room).rglob("static/vendor")
)
ROW = r"\| `([\w.-]+\.js)` \|.*?\| ([\d.]+) \|.*?`([\w-]+\.txt)` \| `(\w+)`"
_FREE = re.compile(r"BSD|Redistribution and use in source and binary forms")


def test_the_folders_are_found():
    assert ROOT / "wire/web/static/vendor" in FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_vendored_script_has_its_sum_its_version_and_its_licence(folder):
    rows = re.findall(ROW, (folder / "README.md").read_text())
    assert {name for name, *_ in rows} == {file.name for file in folder.glob("*.js")}
    for name, version, licence, digest in rows:
        assert version in name
        assert _FREE.search((folder / licence).read_text())
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
