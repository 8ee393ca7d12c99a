"""The data sets that the reference runs know: whose they are and under what terms."""

from collections.abc import Iterable
from typing import Final, NamedTuple


class Source(NamedTuple):
    """A data set as the card names it."""

    what: str
    citation: str
    licence: str
    """As published."""
    hub: str = ""
    """DOI, for the card's header."""


SOURCES: Final = {
    "deepapl": Source(
        "single cells of acute myeloid leukemia patients, CellaVision",
        "Sidhom et al., npj Precision Oncology 2021",
        "MIT at the time of publication; images not redistributed",
        "10.1038/s41698-021-00179-y",
    ),
    "pbc": Source(
        "single cells of healthy donors, CellaVision DM96",
        "Acevedo et al. 2020",
        "CC BY 4.0",
        "10.17632/snkd93bnjr.1",
    ),
    "bccd": Source(
        "cells found in whole fields without a diagnosis",
        "BCCD data set, (c) 2017 shenggan",
        "MIT",
    ),
    "lmu": Source(
        "single cells of another laboratory; looked at while choices were made, so an outside look",
        "AML-Cytomorphology_LMU, Matek et al. 2019",
        "CC BY 3.0",
        "10.7937/tcia.2019.36f5o9ld",
    ),
    "cnmc": Source(
        "single cells cut out on black: an outside look",
        "C-NMC 2019",
        "CC BY 3.0 as reported by others",
        "10.7937/tcia.2019.dc64i46r",
    ),
    "simulator": Source(
        "drawn by leukoscope's own simulator (imaging/simulator), seeded; no image of a patient",
        "leukoscope",
        "Apache-2.0",
    ),
}

UNKNOWN: Final = "not known to leukoscope: ask whoever gave the images"


def names(trained_on: Iterable[str]) -> list[str]:
    """Sources of keys such as `pbc Normal`, sorted."""
    return sorted({name.rpartition(" ")[0] or name for name in trained_on})


def licences(trained_on: Iterable[str]) -> dict[str, str]:
    """Licence of each source trained on."""
    return {
        name: SOURCES[name].licence if name in SOURCES else UNKNOWN for name in names(trained_on)
    }
