"""The captures' measures in SQLite: a few megabytes at most, whatever happens to the file."""

import sqlite3
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

import structlog

from edge.quality.days import Day

DAYS_KEPT: Final = 90
"""Days with captures; the one captured on longest ago is forgotten first, whatever its date."""
VALUES_KEPT: Final = 200
"""Captures of a day whose values are kept, the newest: more move no median."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS days (
    day INTEGER PRIMARY KEY CHECK (day BETWEEN 1 AND 3652059),
    captures INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    brightness REAL NOT NULL,
    focus REAL NOT NULL,
    tint REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS captures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day INTEGER NOT NULL,
    brightness REAL NOT NULL,
    focus REAL NOT NULL,
    tint REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS captures_by_day ON captures (day, id);
"""
"""`day` counts from the year 1, as `date.toordinal`; a day's row holds the medians of its captures
and the id of the latest of them, so that showing the days reads no capture."""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SET_ASIDE: Final = (
    "The record of earlier days was damaged and is set aside; the trend begins anew. Captures are "
    "not affected, nothing needs to be done."
)
_UNUSABLE: Final = (
    "The record of the days cannot be read or written, so there is no trend. Captures are not "
    "affected; free the station's disk, or call whoever runs the station."
)

_log = structlog.get_logger("edge.quality")

Done = TypeVar("Done")


class Record:
    """Thread-safe. Nothing is raised: what is wrong with the file stands in `problem`.

    Args:
        file: the database; its folder is made.

    Attributes:
        problem: a sentence; empty when well. That a damaged file was set aside is said until the
            station starts again.
    """

    def __init__(self, file: Path) -> None:
        self.problem = ""
        self._file = file
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._do(_check)

    def add(self, day: date, brightness: float, focus: float, cast: float) -> None:
        """Remember one capture."""
        number = day.toordinal()
        self._do(lambda db: _add(db, number, (brightness, focus, cast)))

    def days(self) -> list[Day]:
        """All days that are kept, earliest first; none while there is a problem."""
        return self._do(_days) or []

    def close(self) -> None:
        """Close the file; the next piece of work opens it again."""
        with self._lock:
            self._drop()

    def _do(self, work: Callable[[sqlite3.Connection], Done]) -> Done | None:
        with self._lock:
            try:
                done = self._try(work)
            except (OSError, sqlite3.Error) as error:
                self._drop()  # opened anew next time: the disk may be there again by then
                if self.problem != _UNUSABLE:
                    _log.error("trend_unusable", file=str(self._file), cause=str(error))
                self.problem = _UNUSABLE
                return None
            if self.problem == _UNUSABLE:
                self.problem = ""
            return done

    def _try(self, work: Callable[[sqlite3.Connection], Done]) -> Done:
        """One transaction; on a damaged file it is done again with a new one."""
        try:
            return self._transact(work)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise
            self._drop()
            _set_aside(self._file)
            _log.error("trend_damaged", file=str(self._file), cause=str(error))
        done = self._transact(work)
        self.problem = _SET_ASIDE
        return done

    def _transact(self, work: Callable[[sqlite3.Connection], Done]) -> Done:
        if self._db is None:
            self._db = _open(self._file)
        with self._db:
            return work(self._db)

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(file, timeout=5.0, check_same_thread=False)
    try:
        # A power cut may cost the last captures' values, never the file; a capture waits for none.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _set_aside(file: Path) -> None:
    """Rename the files; one earlier damaged set at most is kept, so that the disk does not fill."""
    for suffix in ("", "-wal", "-shm"):
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.replace(file.with_name(f"{file.name}.damaged{suffix}"))


def _check(db: sqlite3.Connection) -> None:
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        damage = sqlite3.DatabaseError(str(verdict))
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _add(db: sqlite3.Connection, day: int, values: tuple[float, float, float]) -> None:
    db.execute(
        "INSERT INTO captures (day, brightness, focus, tint) VALUES (?, ?, ?, ?)", (day, *values)
    )
    db.execute(
        "DELETE FROM captures WHERE day = ?1 AND id <= ("
        "SELECT id FROM captures WHERE day = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (day, VALUES_KEPT),
    )
    known = db.execute("SELECT captures FROM days WHERE day = ?", (day,)).fetchone()
    db.execute(
        "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?)",
        (day, known[0] + 1 if known else 1, *_medians(db, day)),
    )
    if not known:
        _forget(db)


def _medians(db: sqlite3.Connection, day: int) -> tuple[int, float, float, float]:
    """Of a day's captures: the latest id; median brightness, focus and tint."""
    rows: list[tuple[int, float, float, float]] = db.execute(
        "SELECT id, brightness, focus, tint FROM captures WHERE day = ? ORDER BY id", (day,)
    ).fetchall()
    ids, brightness, focus, tint = zip(*rows, strict=True)
    return ids[-1], median(brightness), median(focus), median(tint)


def _forget(db: sqlite3.Connection) -> None:
    """Let go of the days that were captured on longest ago."""
    db.execute(
        "DELETE FROM days WHERE day NOT IN (SELECT day FROM days ORDER BY latest DESC LIMIT ?)",
        (DAYS_KEPT,),
    )
    db.execute("DELETE FROM captures WHERE day NOT IN (SELECT day FROM days)")


def _days(db: sqlite3.Connection) -> list[Day]:
    rows = db.execute(
        "SELECT day, brightness, focus, tint, captures, latest FROM days ORDER BY day"
    ).fetchall()
    return [Day(date.fromordinal(day), *values) for day, *values in rows]
