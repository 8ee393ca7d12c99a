"""The captures' measures in SQLite: a few megabytes at most, whatever happens to the file."""

import sqlite3
import threading
from collections.abc import Callable
from datetime import date
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias, TypeVar

import structlog

from edge.quality.days import Day

DAYS_KEPT: Final = 90
"""Days with captures; the one captured on longest ago is forgotten first, whatever its date."""
VALUES_KEPT: Final = 200
"""Captures of a day whose values are kept, the newest: more move no median."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS days (
    day INTEGER PRIMARY KEY CHECK (day BETWEEN 1 AND 3652059),
    captures INTEGER NOT NULL
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
"""`day` counts from the year 1, as `date.toordinal`."""

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

_Row: TypeAlias = tuple[int, int, int, float, float, float]
"""day, captures, id, brightness, focus, tint."""

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
    known = db.execute("UPDATE days SET captures = captures + 1 WHERE day = ?", (day,)).rowcount
    if not known:
        db.execute("INSERT INTO days VALUES (?, 1)", (day,))
    db.execute(
        "INSERT INTO captures (day, brightness, focus, tint) VALUES (?, ?, ?, ?)", (day, *values)
    )
    db.execute(
        "DELETE FROM captures WHERE day = ?1 AND id <= ("
        "SELECT id FROM captures WHERE day = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (day, VALUES_KEPT),
    )
    if not known:
        _forget(db)


def _forget(db: sqlite3.Connection) -> None:
    """Let go of the days that were captured on longest ago."""
    db.execute(
        "DELETE FROM days WHERE day NOT IN ("
        "SELECT day FROM captures GROUP BY day ORDER BY max(id) DESC LIMIT ?)",
        (DAYS_KEPT,),
    )
    db.execute("DELETE FROM captures WHERE day NOT IN (SELECT day FROM days)")


def _days(db: sqlite3.Connection) -> list[Day]:
    rows: list[_Row] = db.execute(
        "SELECT day, days.captures, id, brightness, focus, tint"
        " FROM captures JOIN days USING (day) ORDER BY day, id"
    ).fetchall()
    return [_day(list(of_a_day)) for _, of_a_day in groupby(rows, key=lambda row: row[0])]


def _day(rows: list[_Row]) -> Day:
    day, captures, order, *_ = rows[-1]
    brightness, focus, tint = (median(row[column] for row in rows) for column in (3, 4, 5))
    return Day(date.fromordinal(day), brightness, focus, tint, captures, order)
