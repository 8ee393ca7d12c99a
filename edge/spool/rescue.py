"""A damaged spool is put aside, never deleted, and every frame still whole is taken over."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import structlog

from edge.spool.schema import COLUMNS, SCHEMA_SQL, Row
from edge.spool.spool import Spool, sha256

_log = structlog.get_logger("edge.spool")


@dataclass(frozen=True)
class Rescue:
    """What came of a damaged spool."""

    quarantine: Path
    """Folder with the damaged files."""
    salvaged: int
    """Frames taken over, each verified by its SHA-256."""
    damaged: int
    """Frames that were seen but are no longer whole; more may be unreadable altogether."""
    cause: str


def open_spool(file: Path, min_free_mb: int = 0) -> tuple[Spool, Rescue | None]:
    """Open the spool; a damaged one is quarantined and salvaged first.

    Raises:
        SpoolError: it cannot be opened for another reason than damage.
    """
    try:
        return Spool(file, min_free_mb), None
    except sqlite3.DatabaseError as error:
        rescue = _rescue(file, str(error))
    _log.error(
        "spool_damaged",
        cause=rescue.cause,
        quarantine=str(rescue.quarantine),
        salvaged=rescue.salvaged,
        damaged=rescue.damaged,
    )
    return Spool(file, min_free_mb), rescue


def _rescue(file: Path, cause: str) -> Rescue:
    quarantine = _put_aside(file)
    spool = Spool(file)
    salvaged = damaged = 0
    try:
        for row in _rows(quarantine / file.name):
            if _take_over(spool, row):
                salvaged += 1
            else:
                damaged += 1
    finally:
        spool.close()
    return Rescue(quarantine, salvaged, damaged, cause)


def _put_aside(file: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    quarantine = file.parent / "quarantine" / f"{stamp}-{time.monotonic_ns() % 10**6:06d}"
    quarantine.mkdir(parents=True, mode=0o700)
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        if (path := file.parent / name).exists():
            path.rename(quarantine / name)
    return quarantine


def _rows(damaged: Path) -> Iterator[Row | None]:
    """Rows of the damaged file, or of a copy with a fresh first page; None for a broken one."""
    try:
        yield from _rows_of(damaged)
    except sqlite3.DatabaseError:
        mended = damaged.with_name("mended.db")
        if _mend_first_page(damaged, mended):
            try:
                yield from _rows_of(mended)
            except sqlite3.DatabaseError as error:
                _log.error("spool_unreadable", file=str(mended), error=str(error))


def _rows_of(file: Path) -> Iterator[Row | None]:
    """Row by row, so that a broken page costs the frames on it and no more."""
    db = sqlite3.connect(f"file:{file}?mode=rw", uri=True)
    try:
        db.execute("PRAGMA cell_size_check = OFF")
        top = _highest_id(db)
        for number in range(1, top + 1):
            try:
                row = db.execute(
                    f"SELECT {COLUMNS} FROM frames NOT INDEXED WHERE id = ?",  # noqa: S608  # constant columns
                    (number,),
                ).fetchone()
            except sqlite3.DatabaseError:
                yield None
                continue
            if row is not None:
                yield row
    finally:
        db.close()


def _highest_id(db: sqlite3.Connection) -> int:
    """The highest row id: by the table, else by an index that may still be whole."""
    asked = (
        "SELECT max(id) FROM frames NOT INDEXED",
        "SELECT max(id) FROM frames INDEXED BY frames_by_state",
    )
    tops: list[int] = []
    failure: sqlite3.DatabaseError | None = None
    for sql in asked:
        try:
            tops.append(db.execute(sql).fetchone()[0] or 0)
        except sqlite3.DatabaseError as error:
            failure = error
    if not tops:
        raise failure or sqlite3.DatabaseError("no table can be read")
    return max(tops)


def _mend_first_page(damaged: Path, mended: Path) -> bool:
    """Copy the file under the first page of a fresh spool.

    Page 1 holds SQLite's header and the schema with the root page of each table. Every spool is
    made by the same statements in the same order, so a fresh one's page 1 fits (SQLite file
    format, sections 1.3 and 2.6).
    """
    fresh = damaged.with_name("fresh.db")
    db = sqlite3.connect(fresh)
    db.executescript(SCHEMA_SQL)
    (page_size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    if damaged.stat().st_size < 2 * page_size:
        return False
    copyfile(damaged, mended)
    first = bytearray(fresh.read_bytes()[:page_size])
    first[28:32] = (damaged.stat().st_size // page_size).to_bytes(4, "big")  # size in pages
    with mended.open("r+b") as file:
        file.write(first)
    return True


def _take_over(spool: Spool, row: Row | None) -> bool:
    if row is None or not isinstance(row[7], bytes) or sha256(row[7]) != row[3]:
        return False
    spool.adopt(row)
    return True
