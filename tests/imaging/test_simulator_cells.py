"""Single drawn cells: named rightly, alike by seed, and shaped as their kinds are."""

from itertools import islice
from statistics import mean

import cv2
import numpy as np
import pytest

from imaging.crop import cut_cells
from imaging.simulator import (
    KINDS,
    CellKind,
    RenderedCell,
    SlideKind,
    Smear,
    Stain,
    iter_cells,
    render_cell,
    samples,
)
from imaging.simulator.planes import Substance
from imaging.simulator.white_cells import WhiteCell, white_cell

BLASTS: tuple[CellKind, ...] = ("lymphoblast", "myeloblast")


def drawn(kind: CellKind, count: int = 12) -> list[WhiteCell]:
    return [white_cell(KINDS[kind], KINDS[kind].diameter_um[0], (1, n)) for n in range(count)]


def test_every_kind_comes_as_often_as_asked_with_its_label() -> None:
    cells = list(iter_cells(1, 1, size=400))
    assert [cell.kind for cell in cells] == list(KINDS)
    for cell in cells:
        assert cell.label == KINDS[cell.kind].label
    labels = {kind: KINDS[kind].label for kind in BLASTS}
    assert labels == {"lymphoblast": "ALL", "myeloblast": "AML"}


def test_cells_repeat_by_seed_and_differ_without_it() -> None:
    def bytes_of(seed: int) -> list[bytes]:
        return [c.image.tobytes() for c in islice(iter_cells(seed, 1, size=400), 2)]

    assert bytes_of(3) == bytes_of(3)
    assert not set(bytes_of(3)) & set(bytes_of(4))


def test_wished_kinds_only() -> None:
    cells = list(iter_cells(1, 2, kinds=["monocyte"], size=500))
    assert [cell.kind for cell in cells] == ["monocyte"] * 2
    assert cells[0].image.shape == (500, 500, 3)
    assert cells[0].image.tobytes() != cells[1].image.tobytes()


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_cell_stands_whole_in_the_middle(kind: CellKind) -> None:
    for seed in (0, 1):
        cell = render_cell(kind, seed)
        assert cell.image.shape == (640, 640, 3)
        assert cell.image.dtype == np.uint8
        assert 0 < cell.box.x < cell.box.x + cell.box.w < 640
        assert 0 < cell.box.y < cell.box.y + cell.box.h < 640
        assert abs(cell.box.x + cell.box.w / 2 - 320) < 40
        assert abs(cell.box.y + cell.box.h / 2 - 320) < 40
        assert violet_share(cell) > 0.12
        assert cut_cells(cell.image, [cell.box], 64, 64).shape == (1, 64, 64, 3)


def violet_share(cell: RenderedCell) -> float:
    """Share of the box's pixels whose green lies far below the field's background."""
    x, y, w, h = cell.box
    glass = np.percentile(cell.image[..., 1], 90)
    return float((cell.image[y : y + h, x : x + w, 1] < 0.62 * glass).mean())


def test_the_surroundings_of_normal_cells_come_from_all_slides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a classifier would read the label from the neighbours."""
    slides: list[str] = []

    class Noted(Smear):
        def __init__(self, seed: int, kind: SlideKind, stain: Stain) -> None:
            super().__init__(seed, kind, stain)
            slides.append(kind)

    monkeypatch.setattr(samples, "Smear", Noted)
    for seed in range(10):
        render_cell("lymphocyte", seed, size=400)
    assert set(slides) == {"ALL", "AML", "Normal"}
    slides.clear()
    render_cell("lymphoblast", 1, size=400)
    assert slides == ["ALL"]


def test_blasts_are_fuller_of_nucleus_than_mature_cells() -> None:
    share = {kind: mean(cell.nuclear_share for cell in drawn(kind)) for kind in KINDS}
    for blast in BLASTS:
        for mature in ("lymphocyte", "monocyte", "neutrophil", "eosinophil"):
            assert share[blast] > share[mature] + 0.03, (blast, mature, share)
    assert share["lymphoblast"] > share["myeloblast"] + 0.03


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_drawn_nuclear_share_lies_near_the_kinds(kind: CellKind) -> None:
    low, high = KINDS[kind].nuclear_share
    shares = [cell.nuclear_share for cell in drawn(kind)]
    assert low - 0.08 < mean(shares) < high + 0.04
    assert min(shares) > low - 0.2


def test_myeloblasts_are_the_larger_blasts() -> None:
    area = {kind: mean(cell.area for cell in drawn_at_own_size(kind)) for kind in BLASTS}
    assert area["myeloblast"] > 1.3 * area["lymphoblast"]


def drawn_at_own_size(kind: CellKind) -> list[WhiteCell]:
    rng = np.random.default_rng(5)
    sizes = rng.normal(*KINDS[kind].diameter_um, 10)
    return [white_cell(KINDS[kind], float(d), (2, n)) for n, d in enumerate(sizes)]


def test_mature_chromatin_is_coarser_than_a_lymphoblasts() -> None:
    def contrast(kind: CellKind) -> float:
        """Variation of nuclear density between 0.15 and 0.5 µm, relative to its mean."""
        spreads = []
        for cell in drawn(kind):
            density = cell.stack[Substance.CHROMATIN]
            fine, coarse = (cv2.GaussianBlur(density, (0, 0), sigma) for sigma in (2, 6))
            deep = cv2.erode((density > 0.3).astype(np.uint8), np.ones((21, 21))) > 0
            spreads.append(float((fine - coarse)[deep].std() / density[deep].mean()))
        return mean(spreads)

    assert contrast("lymphocyte") > 1.4 * contrast("lymphoblast")


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_cells_mask_box_and_opacity_agree(kind: CellKind) -> None:
    for cell in drawn(kind, 4):
        rows, columns = np.nonzero(cell.mask)
        assert (columns.min(), rows.min()) == (cell.box.x, cell.box.y)
        assert columns.max() - columns.min() + 1 == cell.box.w
        assert rows.max() - rows.min() + 1 == cell.box.h
        assert cell.area == rows.size
        assert cell.opacity[cell.mask].min() >= 0.5
        assert cell.opacity[~cell.mask].max() <= 0.5
        border = np.concatenate([cell.opacity[[0, -1]].ravel(), cell.opacity[:, [0, -1]].ravel()])
        assert border.max() == 0  # nothing is cut off at the sprite's edge
        assert np.isfinite(cell.stack).all()
        assert cell.stack.min() >= 0
        assert one_piece(cell.mask)


def one_piece(mask: np.ndarray) -> bool:
    return int(cv2.connectedComponents(mask.astype(np.uint8))[0]) == 2


def test_a_picture_too_small_for_a_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="400 pixels or more, not 399"):
        render_cell("neutrophil", 1, size=399)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        render_cell("hairy cell", 1)  # type: ignore[arg-type]  # the refusal is what is tested
