"""What each kind of white cell looks like, in numbers.

Sizes, nuclear shares and chromatin follow the descriptions of Bain, "Blood Cells: A Practical
Guide", and of the WHO classification's blast criteria; densities were set by eye against
CellaVision cells (PBC, DeepAPL) and BCCD fields.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

SlideKind = Literal["ALL", "AML", "Normal"]
"""Whose smear it is: acute lymphoblastic or acute myeloid leukemia, or healthy."""

CellKind = Literal[
    "neutrophil",
    "lymphocyte",
    "monocyte",
    "eosinophil",
    "basophil",
    "lymphoblast",
    "myeloblast",
]

Range = tuple[float, float]


@dataclass(frozen=True)
class Chromatin:
    """The nucleus's texture. Contrasts are fractions of `density`."""

    density: Range
    clumps: Range
    """Contrast of dark blocks of heterochromatin."""
    clump_um: float
    """Distance from clump to clump."""
    grain: float
    """Contrast of the fine grain between them."""
    grain_um: float = 0.6
    seams: float = 0.0
    """Contrast of the pale seams between clumps, or of the openings in fine lace."""
    nucleoli: tuple[int, int] = (0, 0)
    nucleolus: Range = (0.0, 0.0)
    """How much paler a nucleolus is: 0.5 leaps to the eye, 0.15 hardly shows."""


@dataclass(frozen=True)
class Granules:
    """Granules of the cytoplasm (and, where `over` is set, on the nucleus)."""

    chromatin: float = 0.0
    eosin: float = 0.0
    orange: float = 0.0
    """Densities of what they take up: violet, pink, and an eosinophil's orange."""
    size_um: float = 0.5
    share: float = 0.0
    """Of the area that they cover."""
    over: float = 0.0


@dataclass(frozen=True)
class Cytoplasm:
    """Everything between nucleus and membrane."""

    basophilia: Range
    eosin: Range
    edge: float = 0.15
    """How much darker the rim is."""
    unrest: float = 0.12
    """Contrast of its ground-glass texture."""
    hof: float = 0.0
    """How much paler the zone beside the nucleus is."""
    granules: Granules = field(default_factory=Granules)
    vacuoles: float = 0.0
    """Mean number."""
    auer_rods: float = 0.0
    """Probability of one."""


@dataclass(frozen=True)
class Kind:
    """One kind of white cell."""

    name: CellKind
    label: SlideKind
    diameter_um: tuple[float, float]
    """Mean and standard deviation on the smear."""
    roughness: float
    nucleus: Literal["round", "kidney", "lobed", "bilobed"]
    nuclear_share: Range
    """Nuclear area per cell area."""
    chromatin: Chromatin
    cytoplasm: Cytoplasm


KINDS: Final[dict[CellKind, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "neutrophil",
            "Normal",
            (12.8, 0.9),
            0.03,
            "lobed",
            (0.32, 0.46),
            Chromatin((1.0, 1.2), (0.2, 0.28), 1.4, 0.08, seams=0.4),
            Cytoplasm(
                (0.04, 0.14),
                (0.35, 0.6),
                edge=0.1,
                granules=Granules(chromatin=0.1, eosin=0.35, size_um=0.3, share=0.3),
            ),
        ),
        Kind(
            "lymphocyte",
            "Normal",
            (9.4, 0.8),
            0.03,
            "round",
            (0.56, 0.76),
            Chromatin((1.15, 1.35), (0.2, 0.3), 1.8, 0.07, seams=0.5),
            Cytoplasm((0.6, 1.0), (0.0, 0.08), edge=0.25),
        ),
        Kind(
            "monocyte",
            "Normal",
            (15.2, 1.2),
            0.045,
            "kidney",
            (0.42, 0.56),
            Chromatin((0.8, 1.0), (0.2, 0.28), 1.5, 0.1, seams=0.55),
            Cytoplasm(
                (0.5, 0.8),
                (0.12, 0.25),
                unrest=0.24,
                granules=Granules(chromatin=0.22, size_um=0.28, share=0.12),
                vacuoles=5.0,
            ),
        ),
        Kind(
            "eosinophil",
            "Normal",
            (13.2, 0.9),
            0.03,
            "bilobed",
            (0.3, 0.42),
            Chromatin((1.0, 1.2), (0.2, 0.28), 1.4, 0.08, seams=0.4),
            Cytoplasm(
                (0.04, 0.1),
                (0.3, 0.5),
                granules=Granules(eosin=0.6, orange=0.9, size_um=0.6, share=0.9, over=0.15),
            ),
        ),
        Kind(
            "basophil",
            "Normal",
            (12.2, 0.8),
            0.03,
            "bilobed",
            (0.4, 0.52),
            Chromatin((0.7, 0.85), (0.1, 0.16), 1.8, 0.06),
            Cytoplasm(
                (0.1, 0.2),
                (0.3, 0.5),
                granules=Granules(chromatin=0.9, size_um=0.7, share=0.38, over=0.7),
            ),
        ),
        Kind(
            "lymphoblast",
            "ALL",
            (12.0, 1.1),
            0.05,
            "round",
            (0.8, 0.92),
            Chromatin(
                (0.88, 1.08),
                (0.05, 0.1),
                1.3,
                0.07,
                nucleoli=(0, 2),
                nucleolus=(0.08, 0.18),
            ),
            Cytoplasm((0.8, 1.2), (0.0, 0.06), edge=0.3, vacuoles=0.3),
        ),
        Kind(
            "myeloblast",
            "AML",
            (15.2, 1.4),
            0.06,
            "round",
            (0.68, 0.84),
            Chromatin(
                (0.72, 0.92),
                (0.1, 0.15),
                1.0,
                0.12,
                seams=0.3,
                nucleoli=(1, 4),
                nucleolus=(0.35, 0.55),
            ),
            Cytoplasm(
                (0.5, 0.85),
                (0.05, 0.16),
                edge=0.28,
                hof=0.35,
                granules=Granules(chromatin=0.3, size_um=0.4, share=0.05),
                vacuoles=0.4,
                auer_rods=0.12,
            ),
        ),
    )
}
