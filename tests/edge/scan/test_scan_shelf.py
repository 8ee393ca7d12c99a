"""Each slide's unfinished scan is kept, up to a number."""

import os
from pathlib import Path

from structlog.testing import capture_logs

from edge.scan.shelf import MOST, ScanShelf


def test_the_oldest_of_too_many_is_forgotten_and_named_in_the_log(tmp_path: Path):
    shelf = ScanShelf(tmp_path)
    for number in range(MOST + 2):
        file = shelf.file(f"s{number:04}")
        file.write_text("{}")
        os.utime(file, (number, number))
    with capture_logs() as logs:
        shelf.make_room()
    assert len(list(shelf.files())) == MOST
    assert {log["slide"] for log in logs} == {"s0000", "s0001"}
    assert next(shelf.files()) == shelf.file(f"s{MOST + 1:04}")


def test_without_a_scan_there_is_nothing(tmp_path: Path):
    shelf = ScanShelf(tmp_path / "scans")
    shelf.make_room()
    assert list(shelf.files()) == []
