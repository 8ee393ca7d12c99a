"""Cells are gathered once, into a file, and memory follows what is asked of it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from model.data import gather as gathering
from model.data.cells import Advance, OneCell, join
from model.data.cutting import Cutter
from model.data.gather import gather
from model.errors import ModelError

CUTTER = Cutter(size=64, variants=2, seed=1)


@dataclass
class MadeUpSource:
    """Cell n is of grey level n, its variant 1 by one lighter."""

    count: int
    name: str = ""
    killed_at: int = -1
    times_read: list[int] = field(default_factory=list)

    def fingerprint(self) -> Iterator[str]:
        yield f"{self.name} {self.count}"

    def cells(self, cutter: Cutter, advance: Advance) -> Iterator[OneCell]:
        self.times_read.append(1)
        for n in range(self.count):
            if n == self.killed_at:
                raise KeyboardInterrupt
            pixels = np.empty((cutter.variants, cutter.size, cutter.size, 3), np.uint8)
            for variant in range(cutter.variants):
                pixels[variant] = (n + variant) % 256
            yield OneCell(pixels, n % 3, "made up", f"g{n // 4}", "blast", f"{self.name}{n}", "0")
            advance(n + 1, self.count)


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(gathering.CACHE, str(tmp_path))
    return tmp_path


def resident() -> int:
    """Bytes of memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures as Linux tells it")
def test_memory_stays_far_below_the_pixels_that_are_read(cache: Path) -> None:
    bound = 16 << 20
    before = resident()
    cells = gather(MadeUpSource(3000), CUTTER, silent)
    assert np.prod(cells.cells.shape) > 4 * bound
    half = join([cells.take(cells.labels == 1), cells.take(cells.labels == 2)])
    total = sum(int(pixels[:, 0, 0, 0].sum()) for _, pixels in half.batches(64))
    assert total == sum(n % 256 for n in range(3000) if n % 3)
    assert resident() - before < bound


def test_the_second_time_nothing_is_read_and_all_is_the_same(cache: Path) -> None:
    source = MadeUpSource(7)
    first, second = (gather(source, CUTTER, silent) for _ in range(2))
    assert len(source.times_read) == 1
    assert first.keys.tolist() == second.keys.tolist()
    assert np.array_equal(first.cells, second.cells)


@pytest.mark.parametrize(
    ("source", "cutter"),
    [
        (MadeUpSource(8), CUTTER),
        (MadeUpSource(7), Cutter(size=64, variants=2, seed=2)),
        (MadeUpSource(7), Cutter(size=64, variants=2, seed=1, whole=True)),
    ],
)
def test_other_data_or_another_cut_is_gathered_anew(
    cache: Path, source: MadeUpSource, cutter: Cutter
) -> None:
    gather(MadeUpSource(7), CUTTER, silent)
    gather(source, cutter, silent)
    assert len(source.times_read) == 1


def test_a_killed_gathering_leaves_nothing_that_is_taken_for_whole(cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        gather(MadeUpSource(7, killed_at=5), CUTTER, silent)
    assert not list(cache.iterdir())
    assert len(gather(MadeUpSource(7), CUTTER, silent)) == 7


def test_a_source_without_cells_is_an_error(cache: Path) -> None:
    with pytest.raises(ModelError, match="no white cell"):
        gather(MadeUpSource(0), CUTTER, silent)


def test_a_cut_short_file_is_told_by_name(cache: Path) -> None:
    cells = gather(MadeUpSource(7), CUTTER, silent)
    (file,) = cache.glob("*/pixels.u8")
    os.truncate(file, 1000)
    with pytest.raises(OSError, match=r"ends before cell 6"):
        cells.cells[6, 0]


def test_taking_rows_of_rows_reads_the_cells_meant(cache: Path) -> None:
    cells = join([gather(MadeUpSource(9, name), CUTTER, silent) for name in "ab"])
    chosen = cells.take(cells.labels == 2)
    assert chosen.keys.tolist() == ["a2", "a5", "a8", "b2", "b5", "b8"]
    assert chosen.cells[:, 0][:, 0, 0, 0].tolist() == [2, 5, 8] * 2
    variants = np.array([0, 1, 0, 1])
    assert chosen.cells[[5, 4, 0, 1], variants][:, 9, 9, 2].tolist() == [8, 6, 2, 6]
    assert chosen.cells[1, 1].shape == (64, 64, 3)
    assert chosen.cells[chosen.labels == 2].shape == (6, 2, 64, 64, 3)


def test_old_cells_are_forgotten(cache: Path) -> None:
    gather(MadeUpSource(3, "old"), CUTTER, silent)
    (old,) = cache.iterdir()
    os.utime(old, (0, 0))
    gather(MadeUpSource(3, "new"), CUTTER, silent)
    assert not old.exists()
