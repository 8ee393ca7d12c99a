"""Frames in SQLite (WAL, synchronous=FULL): what `save` returned from survives a pulled plug."""

import hashlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge.spool.ballast import Ballast
from edge.spool.schema import COLUMNS, SCHEMA_SQL, Row
from wire.codec import encode_frame
from wire.messages import Frame, Receipt

_MB: Final = 1024 * 1024
_KEEP_ENDED_S: Final = 90 * 86_400
_RESTART: Final = ": restart the agent, which puts a damaged spool aside and salvages its frames"

_BEGIN_AGAIN: Final = ": end this program, begin it again and take the capture again"


class SpoolError(RuntimeError):
    """The spool cannot do what was asked; what it holds is untouched."""


class SpoolFullError(SpoolError):
    """The disk is full, or so nearly that the next frame is refused."""


@dataclass(frozen=True)
class SpoolStatus:
    """What the spool holds."""

    waiting: int
    """Frames without a receipt yet."""
    refused: int
    """Frames the cloud refused; kept until a person retries or exports them."""
    payload_bytes: int
    oldest_saved_at: float | None
    """Unix seconds, of the oldest waiting frame."""
    stored: int
    """Frames receipted as stored in the last 90 days."""
    disk_free_mb: int


@dataclass(frozen=True)
class Entry:
    """One frame in the spool."""

    capture_id: str
    slide: str
    saved_at: float
    state: str
    reason: str
    detail: str


class Spool:
    """Frames between *saved* and their receipt. Thread-safe; other processes may open it too.

    Open it with `open_spool`, or with `open_or_rescue` where this process does the sending.

    Args:
        file: the database; its folder is made.
        min_free_mb: free disk, in MB (2^20 bytes), below which `save` refuses.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
        SpoolError: the folder cannot be made or written.
    """

    def __init__(self, file: Path, min_free_mb: int = 0) -> None:
        self.file = file
        self._min_free_mb = min_free_mb
        self._lock = threading.Lock()
        self._ballast = Ballast(file.with_suffix(".ballast"))
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = self._opened()
        except (OSError, sqlite3.OperationalError) as error:
            raise SpoolError(
                f"cannot open the spool {file}: {error}: check the folder's owner and the disk"
            ) from error
        self._identity = _identity(file)

    def save(self, frame: Frame) -> None:
        """Commit a frame to disk. When this returns, the frame is safe.

        Raises:
            SpoolFullError: nothing was saved; what was saved before is untouched.
            SpoolError: likewise, for another reason.
        """
        free = self.disk_free_mb()
        if free < self._min_free_mb:
            raise SpoolFullError(
                f"the disk has {free} MB left, less than the {self._min_free_mb} MB kept in reserve"
            )
        if not self._ballast.hold() and not self._regain():
            raise SpoolFullError("the disk is full, and so no room is kept to note receipts in")
        payload = encode_frame(frame)
        with self._writing():
            self._db.execute(
                "INSERT INTO frames (capture_id, slide, saved_at, sha256, payload)"
                " VALUES (?, ?, ?, ?, ?)",
                (frame.capture_id, frame.slide, time.time(), sha256(payload), payload),
            )
        # Looked at after the commit: a rescue that comes later finds this frame.
        if _identity(self.file) != self._identity:
            raise SpoolError(f"the spool is no longer where it was opened{_BEGIN_AGAIN}")

    def adopt(self, row: Row) -> bool:
        """Take over a row of a rescued spool.

        Returns:
            False when it is here already, which stays as it is, or was stored meanwhile.
        """
        with self._writing():
            taken = self._db.execute(
                f"INSERT OR IGNORE INTO frames ({COLUMNS}) SELECT ?, ?, ?, ?, ?, ?, ?, ?"  # noqa: S608  # constant columns
                " WHERE NOT EXISTS"
                " (SELECT 1 FROM ended WHERE capture_id = ? AND outcome = 'stored')",
                (*row, row[0]),
            )
        return taken.rowcount == 1

    def waiting(self, limit: int) -> list[str]:
        """Capture ids of the oldest frames without a receipt, oldest first."""
        rows = self._read(
            "SELECT capture_id FROM frames WHERE state = 'waiting' ORDER BY id LIMIT ?", limit
        )
        return [row[0] for row in rows]

    def payload(self, capture_id: str) -> bytes | None:
        """The frame as it is sent; None when its receipt has come meanwhile."""
        rows = self._read("SELECT payload FROM frames WHERE capture_id = ?", capture_id)
        return bytes(rows[0][0]) if rows else None

    def settle(self, receipt: Receipt) -> str | None:
        """Let a frame go that is stored; mark one that is refused.

        Returns:
            The frame's capture id; None when the spool holds no such frame (a repeated receipt).
        """
        capture_id = self._find(receipt)
        if capture_id is None:
            return None
        try:
            self._let_go(capture_id, receipt)
        except SpoolFullError:
            if not self._ballast.release():
                raise
            self._let_go(capture_id, receipt)
        return capture_id

    def ending(self, capture_id: str) -> tuple[str, str] | None:
        """How a capture ended, whichever process took its receipt in.

        Returns:
            `stored` or `refused`, and why; None while it waits.
        """
        rows = self._read(
            "SELECT ended.outcome, coalesce(frames.detail, ended.reason) FROM ended"
            " LEFT JOIN frames USING (capture_id) WHERE capture_id = ?",
            capture_id,
        )
        return (str(rows[0][0]), str(rows[0][1])) if rows else None

    def retry(self) -> int:
        """Make refused frames wait again and have all sent at once; returns how many wait."""
        with self._writing():
            self._db.execute(
                "DELETE FROM ended WHERE capture_id IN"
                " (SELECT capture_id FROM frames WHERE state = 'refused')"
            )
            self._db.execute(
                "UPDATE frames SET state = 'waiting', reason = '', detail = ''"
                " WHERE state = 'refused'"
            )
            self._db.execute("UPDATE marks SET value = value + 1 WHERE name = 'retry'")
        return self.status().waiting

    def retry_mark(self) -> int:
        """Changes whenever somebody, in any process, called `retry`."""
        return int(self._read("SELECT value FROM marks WHERE name = 'retry'")[0][0])

    def entries(self) -> list[Entry]:
        """All frames, oldest first, without their payloads."""
        rows = self._read(
            "SELECT capture_id, slide, saved_at, state, reason, detail FROM frames ORDER BY id"
        )
        return [Entry(*row) for row in rows]

    def counts(self) -> tuple[int, int]:
        """How many frames wait and how many are refused; much cheaper than `status`."""
        rows = self._read("SELECT state, count(*) FROM frames GROUP BY state")
        held = {str(state): int(count) for state, count in rows}
        return held.get("waiting", 0), held.get("refused", 0)

    def status(self) -> SpoolStatus:
        """Count."""
        (row,) = self._read(
            "SELECT count(*) FILTER (WHERE state = 'waiting'),"
            " count(*) FILTER (WHERE state = 'refused'),"
            " coalesce(sum(length(payload)), 0),"
            " min(saved_at) FILTER (WHERE state = 'waiting'),"
            " (SELECT count(*) FROM ended WHERE outcome = 'stored') FROM frames"
        )
        waiting, refused, size, oldest, stored = row
        return SpoolStatus(waiting, refused, size, oldest, stored, self.disk_free_mb())

    def disk_free_mb(self) -> int:
        """Free space on the spool's disk, in MB (2^20 bytes).

        Raises:
            SpoolError: the disk does not answer, such as one that was unplugged.
        """
        try:
            return shutil.disk_usage(self.file.parent).free // _MB
        except OSError as error:
            raise SpoolError(f"the spool's disk does not answer: {error}") from error

    def close(self) -> None:
        """Close the file; the next start may need the ballast, so it is taken aboard if it can."""
        with self._lock:
            self._db.close()
        self._ballast.hold()

    def _opened(self) -> sqlite3.Connection:
        try:
            return _open(self.file)
        except sqlite3.OperationalError as error:  # SQLite needs a log of its own, even to read
            if not (_is_full(error) and self._ballast.release()):
                raise
        return _open(self.file)

    def _regain(self) -> bool:
        """Give the room of frames that are gone back to the disk, and take the ballast aboard."""
        with self._lock:
            try:
                (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
                (pages,) = self._db.execute("PRAGMA page_count").fetchone()
                if free > pages / 2:  # else it would copy a long queue to win little
                    self._db.execute("VACUUM")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError as error:
                if not _is_full(error):
                    raise SpoolError(f"the spool cannot be written: {error}") from error
        return self._ballast.hold()

    def _let_go(self, capture_id: str, receipt: Receipt) -> None:
        with self._writing():
            if receipt.outcome == "stored":
                self._db.execute("DELETE FROM frames WHERE capture_id = ?", (capture_id,))
            else:
                self._db.execute(
                    "UPDATE frames SET state = 'refused', reason = ?, detail = ?"
                    " WHERE capture_id = ?",
                    (receipt.reason, receipt.detail, capture_id),
                )
            self._db.execute(
                "INSERT OR REPLACE INTO ended (capture_id, outcome, reason, at)"
                " VALUES (?, ?, ?, ?)",
                (capture_id, receipt.outcome, receipt.reason, time.time()),
            )

    def _find(self, receipt: Receipt) -> str | None:
        if receipt.capture_id is not None:
            column, value = "capture_id", receipt.capture_id
        elif receipt.payload_sha256 is not None:
            column, value = "sha256", receipt.payload_sha256
        else:
            return None
        rows = self._read(f"SELECT capture_id FROM frames WHERE {column} = ?", value)  # noqa: S608  # one of the two names above
        return str(rows[0][0]) if rows else None

    def _read(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise SpoolError(f"the spool cannot be read: {error}{_RESTART}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it on disk, or none of it."""
        with self._lock:
            try:
                with self._db:
                    yield
            except sqlite3.OperationalError as error:
                if _is_full(error):
                    raise SpoolFullError(f"the disk is full ({error})") from error
                raise SpoolError(f"the spool cannot be written: {error}") from error
            except sqlite3.IntegrityError as error:
                raise SpoolError(f"the spool has this capture already: {error}") from error
            except sqlite3.DatabaseError as error:
                raise SpoolError(f"the spool is damaged: {error}{_RESTART}") from error


def sha256(payload: bytes) -> str:
    """SHA-256, lower-case hex."""
    return hashlib.sha256(payload).hexdigest()


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file lies there; None where there is none, or where the disk does not answer."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict))
        db.executescript(SCHEMA_SQL)
        _forget_old(db)
        os.chmod(file, 0o600)  # Path.chmod follows the same call
    except BaseException:
        db.close()
        raise
    return db


def _forget_old(db: sqlite3.Connection) -> None:
    try:
        with db:
            db.execute("DELETE FROM ended WHERE at < ?", (time.time() - _KEEP_ENDED_S,))
    except sqlite3.OperationalError as error:
        if not _is_full(error):  # a full disk must not keep the station from starting
            raise


def _is_full(error: sqlite3.OperationalError) -> bool:
    codes = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
    return error.sqlite_errorcode & 0xFF in codes
