"""A damaged spool is put aside, never deleted, and every frame still whole is taken over."""

import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Final

import structlog

from edge.single import SenderLock
from edge.spool.schema import COLUMNS, SCHEMA_SQL, Row
from edge.spool.spool import Spool, SpoolError, sha256

_DONE: Final = "done"
"""A file in a quarantine folder, written last: all that is whole in there was taken over."""

_NO_DAMAGE: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN}
    | {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
    | {sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP}
)
_RESTART: Final = ": restart the agent, which rescues it"

_log = structlog.get_logger("edge.spool")


@dataclass(frozen=True)
class Rescue:
    """What came of a damaged spool, now or at a start before whose rescue was cut off."""

    quarantines: tuple[Path, ...]
    """Folders with the damaged files."""
    salvaged: int
    """Frames taken over now, each verified by its SHA-256."""
    damaged: int
    """Frames that were seen but are no longer whole; more may be unreadable altogether."""
    cause: str
    unfinished: str = ""
    """Why not all could be looked through; the next start goes on. Empty when all was."""


class _CannotGoOnError(Exception):
    """The rescue cannot go on now, for a reason other than the damage."""


def open_spool(file: Path, min_free_mb: int = 0) -> Spool:
    """Open the spool beside the process that sends it.

    A damaged one is left where it lies: that process may have it open, and what it saved into a
    file that was moved away would never be sent.

    Raises:
        SpoolError: it is damaged, or cannot be opened for another reason.
    """
    for folder in _unfinished(file):
        if _is_half_aside(file, folder):
            raise SpoolError(f"the spool is damaged: its rescue was cut off{_RESTART}")
    try:
        return Spool(file, min_free_mb)
    except sqlite3.DatabaseError as error:
        raise SpoolError(f"the spool is damaged: {error}{_RESTART}") from error


def open_or_rescue(
    file: Path, lock: SenderLock, min_free_mb: int = 0
) -> tuple[Spool, Rescue | None]:
    """Open the spool to send it; a damaged one is quarantined and salvaged first.

    So is what a rescue before this one left in its quarantine folder when it was cut off.

    Args:
        file: the database.
        lock: taken.
        min_free_mb: as of `Spool`.

    Raises:
        SpoolError: it cannot be opened for another reason than damage.
    """
    if not lock.held:
        raise SpoolError("only the process that holds the sender's lock may rescue the spool")
    cut_off = _unfinished(file)
    for folder in cut_off:
        _end_putting_aside(file, folder)
    spool, cause = _opened(file, min_free_mb)
    folders = _unfinished(file)
    if not folders:
        return spool, None
    try:
        rescue = _rescue(spool, folders, cause or "an earlier rescue was cut off")
    except BaseException:
        spool.close()
        raise
    _log.error(
        "spool_damaged",
        cause=rescue.cause,
        quarantine=[str(folder) for folder in rescue.quarantines],
        gone_on_with=[str(folder) for folder in cut_off] or None,
        salvaged=rescue.salvaged,
        damaged=rescue.damaged,
        unfinished=rescue.unfinished or None,
    )
    return spool, rescue


def _rescue(spool: Spool, folders: list[Path], cause: str) -> Rescue:
    salvaged = damaged = 0
    unfinished = ""
    for folder in folders:
        try:
            for row in _rows(folder / spool.file.name):
                if row is None or not _is_whole(row):
                    damaged += 1
                elif spool.adopt(row):
                    salvaged += 1
            _mark_done(folder)
        except (_CannotGoOnError, SpoolError, OSError) as error:
            unfinished = str(error)
    return Rescue(tuple(folders), salvaged, damaged, cause, unfinished)


def _opened(file: Path, min_free_mb: int) -> tuple[Spool, str]:
    """The spool, or a new one and what is wrong with that which now lies in quarantine."""
    try:
        return Spool(file, min_free_mb), ""
    except sqlite3.DatabaseError as error:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        quarantine = _quarantine(file) / f"{stamp}-{time.monotonic_ns() % 10**6:06d}"
        quarantine.mkdir(parents=True, mode=0o700)
        _put_aside(file, quarantine)
        return Spool(file, min_free_mb), str(error)


def _put_aside(file: Path, quarantine: Path) -> None:
    """Move what is not there yet, the database last.

    While it lies in its old place, nobody begins a new one beside a log that is not its own.
    """
    for name in (f"{file.name}-shm", f"{file.name}-wal", file.name):
        if (path := file.parent / name).exists():
            path.rename(quarantine / name)
    _to_disk(quarantine)
    _to_disk(file.parent)


def _end_putting_aside(file: Path, quarantine: Path) -> None:
    if not any(quarantine.iterdir()):  # nothing was moved: whether there is damage is found anew
        quarantine.rmdir()
    elif _is_half_aside(file, quarantine):
        _put_aside(file, quarantine)


def _is_half_aside(file: Path, quarantine: Path) -> bool:
    """The log was moved, the database not: that which lies in the old place is the damaged one."""
    moved = {path.name for path in quarantine.iterdir()}
    return bool(moved) and moved <= {f"{file.name}-shm", f"{file.name}-wal"}


def _quarantine(file: Path) -> Path:
    return file.parent / "quarantine"


def _unfinished(file: Path) -> list[Path]:
    """Quarantine folders that were not looked through to their end, oldest first."""
    folders = sorted(path for path in _quarantine(file).glob("*") if path.is_dir())
    return [folder for folder in folders if not (folder / _DONE).exists()]


def _mark_done(quarantine: Path) -> None:
    (quarantine / _DONE).touch(mode=0o600)
    _to_disk(quarantine)


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rows(damaged: Path) -> Iterator[Row | None]:
    """Rows of the damaged file, or of a copy with a fresh first page; None for a broken one."""
    if not damaged.exists():  # somebody took it away
        _log.error("spool_unreadable", file=str(damaged), error="it is not there")
        return
    try:
        yield from _rows_of(damaged)
    except sqlite3.DatabaseError as error:
        _raise_if_no_damage(error)
        mended = damaged.with_name("mended.db")
        if _mend_first_page(damaged, mended):
            try:
                yield from _rows_of(mended)
            except sqlite3.DatabaseError as error:
                _raise_if_no_damage(error)
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
            except sqlite3.DatabaseError as error:
                _raise_if_no_damage(error)
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
    fresh.unlink(missing_ok=True)  # of a rescue that was cut off
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


def _is_whole(row: Row) -> bool:
    return isinstance(row[7], bytes) and sha256(row[7]) == row[3]


def _raise_if_no_damage(error: sqlite3.DatabaseError) -> None:
    """A full or busy disk says nothing of the file: what it hides must not count as lost."""
    code: int = getattr(error, "sqlite_errorcode", 0)  # text that is no UTF-8 has none
    if {code, code & 0xFF} & _NO_DAMAGE:
        raise _CannotGoOnError(str(error)) from error
