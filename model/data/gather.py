"""Cells of a source, gathered once into a file, and found there the next time."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs

import imaging
from imaging.cells import FINDER_ID
from imaging.crop import PREPROCESSING_ID
from model.data.cells import Advance, CellSet, CellSource, OneCell
from model.data.cutting import Cutter
from model.data.pixels import Filed, Pixels
from model.errors import ModelError

CACHE: Final = "LEUKOSCOPE_MODEL_CACHE"
"""Environment variable: folder of gathered cells. It may be deleted at any time."""

KEPT_DAYS: Final = 60
"""How long cells that nobody asked for stay."""

PIXELS: Final = "pixels.u8"
FACTS: Final = "cells.json"
COLUMNS: Final = ("label", "source", "group", "kind", "key", "origin")
WRITING: Final = ".writing-"


def cache_folder() -> Path:
    """Where gathered cells lie; made where it is not."""
    named = os.environ.get(CACHE)
    folder = Path(named) if named else platformdirs.user_cache_path("leukoscope") / "cells"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def gather(source: CellSource, cutter: Cutter, advance: Advance) -> CellSet:
    """The cells of a source; read, found and cut unless that was done before.

    Args:
        source: of cells.
        cutter: what cuts them.
        advance: told how far it is.

    Raises:
        ModelError: the source cannot be read, or has no cell.
    """
    folder = cache_folder() / fingerprint(source, cutter)
    if not folder.exists():
        _forget_old(folder.parent)
        _write(source.cells(cutter, advance), folder)
    os.utime(folder)
    return _read(folder)


def fingerprint(source: CellSource, cutter: Cutter) -> str:
    """Of a source's files and options, the cutter, and the code that finds, cuts and draws."""
    told = hashlib.sha256()
    for line in (type(source).__name__, json.dumps(asdict(cutter)), FINDER_ID, PREPROCESSING_ID):
        told.update(f"{line}\n".encode())
    for line in source.fingerprint():
        told.update(f"{line}\n".encode())
    for path in _code():
        told.update(path.read_bytes())
    return told.hexdigest()[:32]


def _code() -> list[Path]:
    """Files whose change changes cells. An id that somebody forgot to change shows here."""
    here = Path(__file__).parent
    mine = [here / f"{name}.py" for name in ("cutting", "finding", "simulator", "all_idb")]
    return mine + sorted(Path(imaging.__path__[0]).rglob("*.py"))


def _write(cells: Iterator[OneCell], folder: Path) -> None:
    """Into a folder of another name first: killed, it leaves nothing that is taken for whole."""
    writing = Path(tempfile.mkdtemp(prefix=WRITING, dir=folder.parent))
    try:
        _write_into(writing, cells)
        try:
            writing.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was first, with the same cells
                raise
    finally:
        shutil.rmtree(writing, ignore_errors=True)


def _write_into(folder: Path, cells: Iterator[OneCell]) -> None:
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    shape: tuple[int, ...] = ()
    with (folder / PIXELS).open("wb") as file:
        for cell in cells:
            shape = shape or cell.cells.shape
            if cell.cells.shape != shape:
                raise ValueError(f"{cell.key} is {cell.cells.shape}, others are {shape}")
            file.write(np.ascontiguousarray(cell.cells).data)
            for name, column in columns.items():
                column.append(getattr(cell, name))
        file.flush()
        os.fsync(file.fileno())
    if not columns["key"]:
        raise ModelError("the source has no white cell")
    (folder / FACTS).write_text(json.dumps({"shape": shape, **columns}))


def _read(folder: Path) -> CellSet:
    facts = json.loads((folder / FACTS).read_text())
    shape = (len(facts["key"]), *facts["shape"])
    columns = {f"{name}s": np.array(facts[name]) for name in COLUMNS}
    columns["labels"] = columns["labels"].astype(np.int64)
    return CellSet(Pixels.of(Filed.open(folder / PIXELS, shape)), **columns)


def _forget_old(cache: Path) -> None:
    """Delete what no training asked for in a long time, and what killed programs left."""
    now = time.time()
    for folder in cache.iterdir():
        days = 1 if folder.name.startswith(WRITING) else KEPT_DAYS
        with suppress(FileNotFoundError):  # another process forgets at the same time
            if now - folder.stat().st_mtime > days * 86_400:
                shutil.rmtree(folder, ignore_errors=True)
