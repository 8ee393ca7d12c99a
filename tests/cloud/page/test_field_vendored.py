"""What the reading room took from npm is what its README says."""

import hashlib
import re
from pathlib import Path

import cloud.page

VENDOR = Path(cloud.page.__file__).parent / "static" / "vendor"
FIELD = Path(cloud.page.__file__).parent / "templates" / "field.html"


def test_the_viewer_has_its_sum_its_version_and_its_licence():
    readme = (VENDOR / "README.md").read_text()
    rows = re.findall(
        r"\| `([\w.-]+\.js)` \|.*?\| ([\d.]+) \|.*?`([\w-]+\.txt)` \| `(\w+)`", readme
    )
    assert [name for name, *_ in rows] == [file.name for file in VENDOR.glob("*.js")]
    for name, version, licence, digest in rows:
        assert version in name
        assert f"vendor/{name}" in FIELD.read_text()
        assert "Redistributions of source code must retain" in (VENDOR / licence).read_text()
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
