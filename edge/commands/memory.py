"""Which orders were carried out, and what was answered.

On disk, so that an order that the broker delivers again after a restart is not carried out twice.
"""

import hashlib
import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import structlog

from edge.refusal import CaptureRefused
from wire.codec import MessageError, decode, encode
from wire.messages import Command, Reply

KEEP: Final = 500

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    correlation TEXT NOT NULL UNIQUE,
    contents TEXT NOT NULL,
    reply BLOB
)"""

_log = structlog.get_logger("edge.commands")


@dataclass(frozen=True, slots=True)
class _Known:
    contents: str
    reply: Reply | None


class Memory:
    """The last orders by correlation id. Thread-safe.

    Neither ids nor arguments are kept as they came, only their hashes: what a sender puts into
    them is not the station's to vouch for. Where the file cannot be written the memory lasts until
    the restart, which is logged: a full disk must not keep a scan from being stopped.

    Args:
        file: SQLite; made, and made anew when it is damaged.
        interrupted: what to answer for an order that was begun and not ended before a restart.
    """

    def __init__(self, file: Path, interrupted: Reply) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._told = False
        self._db = _open(file)
        for correlation, contents, reply in self._db.execute(
            "SELECT correlation, contents, reply FROM orders ORDER BY id"
        ):
            self._known[correlation] = _Known(contents, _read(reply) or interrupted)

    def taken(self, command: Command) -> bool:
        """Take an order in; False when the same is being carried out at this moment.

        Raises:
            AnsweredBefore: it was carried out; with its reply.
            CaptureRefused: `correlation-id-reused`.
        """
        with self._lock:
            known = self._known.get(_hash(command.correlation_id))
            if known is None:
                self._keep(command, None)
                return True
        if known.contents != _contents(command):
            raise CaptureRefused(
                "correlation-id-reused",
                "Another order was given under this correlation id.",
                "Give each order an id of its own.",
            )
        if known.reply is not None:
            raise AnsweredBefore(
                msgspec.structs.replace(known.reply, correlation_id=command.correlation_id)
            )
        return False

    def forget(self, command: Command) -> None:
        """It will not be carried out."""
        with self._lock:
            self._known.pop(_hash(command.correlation_id), None)

    def begin(self, command: Command) -> None:
        """Note on disk that it is going to be carried out."""
        self._write(
            "INSERT OR REPLACE INTO orders (correlation, contents) VALUES (?, ?)",
            (_hash(command.correlation_id), _contents(command)),
        )
        self._write(
            "DELETE FROM orders WHERE id <= (SELECT max(id) FROM orders) - ?",
            (KEEP,),
        )

    def end(self, command: Command, reply: Reply) -> None:
        """Note what was answered."""
        with self._lock:
            self._keep(command, reply)
        nameless = msgspec.structs.replace(reply, correlation_id="-")
        self._write(
            "UPDATE orders SET reply = ? WHERE correlation = ?",
            (encode(nameless), _hash(command.correlation_id)),
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _keep(self, command: Command, reply: Reply | None) -> None:
        self._known[_hash(command.correlation_id)] = _Known(_contents(command), reply)
        while len(self._known) > KEEP:
            self._known.popitem(last=False)

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        try:
            with self._lock, self._db:
                self._db.execute(sql, values)
        except sqlite3.Error as error:
            if not self._told:
                _log.error("orders_not_noted", cause=str(error))
            self._told = True
        else:
            self._told = False


class AnsweredBefore(Exception):  # noqa: N818  # an order's end, no fault
    """This order was carried out before.

    Attributes:
        reply: what was answered then.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__("answered before")
        self.reply = reply


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _contents(command: Command) -> str:
    """A hash of what was ordered; not of when, which a sender that asks again renews."""
    return _hash(repr((command.command, sorted(command.arguments.items()))))


def _read(reply: bytes | None) -> Reply | None:
    try:
        return None if reply is None else decode(reply, Reply)
    except MessageError:  # of another version of this program: as good as interrupted
        return None


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _opened(file)
    except sqlite3.DatabaseError as error:
        _log.error("orders_forgotten", cause=str(error))
        file.unlink(missing_ok=True)
        return _opened(file)


def _opened(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute(_SCHEMA)
        db.execute("SELECT count(reply) FROM orders").fetchone()
    except BaseException:
        db.close()
        raise
    file.chmod(0o600)
    return db
