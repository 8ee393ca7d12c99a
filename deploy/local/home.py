"""The data folder of a local system: private, kept, found again by the next run."""

import fcntl
import json
import os
import random
import secrets
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Final, TypeVar

import platformdirs

Parsed = TypeVar("Parsed")

_LOCK: Final = "lock"

_PORTS = (
    "mqtt", "nats", "s3", "s3_grpc", "master", "master_grpc", "filer", "filer_grpc",
    "volume", "volume_grpc", "admin", "admin_grpc", "health", "page", "review",
)  # fmt: skip

_FRESH_PORTS = range(20_000, 32_000)
"""Above the well-known ones, below Linux's range for outgoing connections (32,768 on)."""


class HomeError(RuntimeError):
    """The data folder cannot be used; the message says why."""


@dataclass(frozen=True)
class Credentials:
    """Made at the first run; readable by this user only."""

    broker_username: str
    broker_password: str = field(repr=False)
    s3_access_key_id: str
    s3_secret_access_key: str = field(repr=False)
    reader_name: str
    """Of the account that signs in to the reading room."""
    reader_password: str = field(repr=False)


class Home:
    """The folder and what lies where in it. Locked while open, so that two runs never share it.

    Args:
        folder: made if need be, for this user only (0700).

    Raises:
        HomeError: it cannot be made, or another run uses it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make_private(self.folder)
            self._lock = _locked(self.folder / _LOCK)
        except OSError as error:
            raise HomeError(f"cannot use the data folder {folder}: {error}") from error
        try:
            self.credentials = _credentials(self.folder / "credentials.json")
            self.ports = _ports(self.folder / "ports.json")
        except HomeError:
            self.close()
            raise

    broker = property(lambda self: self._sub("broker"))
    store = property(lambda self: self._sub("store"))
    station = property(lambda self: self._sub("station"))
    logs = property(lambda self: self._sub("logs"))
    reading = property(lambda self: self._sub("reading"))
    pictures = property(lambda self: self._sub("pictures"))
    results = property(lambda self: self._sub("results"))
    models = property(lambda self: self._sub("models"))
    trusted_keys = property(lambda self: self._sub("trusted-keys"))

    @property
    def edge_settings_file(self) -> Path:
        """Settings of the agent, as TOML."""
        return self.folder / "edge.toml"

    @property
    def cloud_settings_file(self) -> Path:
        """Settings of the worker, as TOML."""
        return self.folder / "cloud.toml"

    @property
    def model_settings_file(self) -> Path:
        """Settings of `leukoscope-model publish` and the like, as TOML."""
        return self.folder / "model.toml"

    def write_private(self, file: Path, text: str) -> None:
        """Write a file that only this user can read."""
        _write_private(file, text)

    def close(self) -> None:
        """Unlock the folder."""
        self._lock.close()

    def _sub(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def default_folder() -> Path:
    """Where a local system keeps its state when nobody says otherwise."""
    return platformdirs.user_data_path("leukoscope") / "local"


def _make_private(folder: Path) -> None:
    """Close a folder to others; not one that is in use for something else, such as /tmp."""
    if folder.stat().st_mode & 0o077 == 0:
        return
    if any(folder.iterdir()) and not (folder / _LOCK).exists():
        raise HomeError(
            f"{folder} is open to others and holds other files: name a new or an empty folder "
            "with --data"
        )
    folder.chmod(0o700)


def _locked(file: Path) -> IO[str]:
    opened = file.open("a+")
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        opened.seek(0)
        pid = opened.read().strip()
        opened.close()
        raise HomeError(
            f"{file.parent} is in use by process {pid}: stop it, or choose another --data folder"
        ) from error
    opened.truncate(0)
    opened.write(f"{os.getpid()}\n")
    opened.flush()
    return opened


def _credentials(file: Path) -> Credentials:
    """Those of the first run, and what an earlier version of leukoscope had not yet."""
    made = Credentials(
        broker_username="leukoscope",
        broker_password=secrets.token_urlsafe(24),
        s3_access_key_id=secrets.token_hex(10),
        s3_secret_access_key=secrets.token_urlsafe(30),
        reader_name="reader",
        reader_password=secrets.token_urlsafe(18),
    )
    found = _read(file, lambda text: replace(made, **json.loads(text))) if file.exists() else made
    _write_private(file, json.dumps(asdict(found), indent=2) + "\n")
    return found


def _ports(file: Path) -> dict[str, int]:
    """The ports of the last run where they are still free, so that addresses stay known."""
    before: dict[str, int] = _read(file, json.loads) if file.exists() else {}
    ports: dict[str, int] = {}
    for name in _PORTS:
        port = _free(before.get(name))
        while port in ports.values():  # a fresh one can meet one of before
            port = _free(None)
        ports[name] = port
    _write_private(file, json.dumps(ports, indent=2) + "\n")
    return ports


def _read(file: Path, parse: Callable[[str], Parsed]) -> Parsed:
    try:
        return parse(file.read_text())
    except (ValueError, TypeError) as error:
        raise HomeError(
            f"{file} is damaged ({error}): delete it, and the next run makes a new one"
        ) from error


def _free(wanted: int | None) -> int:
    """The wanted port where it is free, else one below those that outgoing connections take.

    A port out of the system's own range can be taken by any connection before the program that
    it is meant for listens on it.
    """
    tries = random.sample(_FRESH_PORTS, 200)
    for port in tries if wanted is None else (wanted, *tries):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise HomeError("no free port on 127.0.0.1")


def _write_private(file: Path, text: str) -> None:
    """Write beside it, then rename: a crash leaves the old file or the new one, never half."""
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
    beside.replace(file)
