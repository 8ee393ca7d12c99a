"""What the station keeps: settings, captures, keys. Nothing of it is changed by looking."""

import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from edge.doctor.finding import Finding, ok, warning, wrong
from edge.identity import SlideKeyError, slide_key
from edge.settings import EdgeSettings
from wire.command_key import CommandKeyError, command_key

_OLD_S: Final = 86_400
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def settings_file(settings: EdgeSettings, file: Path | None) -> Finding:
    """Whether the settings that were read keep their secret."""
    if file is None:
        return ok("settings", f"{settings.site}/{settings.device}, from the environment")
    found = f"{settings.site}/{settings.device}, from {file}"
    if settings.broker.password is not None and file.stat().st_mode & stat.S_IROTH:
        return warning(
            "settings",
            f"{found}: everybody on this machine can read the broker's password in it",
            f"chmod o-r {file}",
        )
    return ok("settings", found)


def spool(settings: EdgeSettings) -> Finding:
    """Whether the spool is whole, and what waits in it."""
    file = settings.spool_file
    if not _is_there(file):
        return ok("spool", f"not begun yet: the first capture makes {file}")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            (health,) = db.execute("PRAGMA quick_check(1)").fetchone()
            held = dict(db.execute("SELECT state, count(*) FROM frames GROUP BY state").fetchall())
            (oldest,) = db.execute(
                "SELECT min(saved_at) FROM frames WHERE state = 'waiting'"
            ).fetchone()
    except sqlite3.OperationalError as error:  # not allowed, locked, no folder
        return wrong("spool", f"{file} cannot be read: {error}", _AS_AGENT)
    except sqlite3.DatabaseError as error:
        health = str(error)
    if health != "ok":
        return wrong("spool", f"{file} is damaged: {health}", _RESCUE)
    return _holding(held.get("waiting", 0), held.get("refused", 0), oldest)


def _holding(waiting: int, refused: int, oldest: float | None) -> Finding:
    found = f"whole; {waiting} waiting, {refused} refused"
    if refused:
        return warning(
            "spool",
            found,
            "leukoscope-edge spool status says why. Mend that, then leukoscope-edge spool retry.",
        )
    if oldest is not None and time.time() - oldest > _OLD_S:
        days = (time.time() - oldest) / _OLD_S
        return warning(
            "spool",
            f"{found}; the oldest has waited {days:.0f} days",
            "See whether broker and worker run; or leukoscope-edge spool export FOLDER.",
        )
    return ok("spool", found)


_AS_AGENT: Final = (
    "Run the doctor as the agent's user: sudo leukoscope-edge doctor does so on a Pi."
)
_RESCUE: Final = (
    "Restart the agent (sudo systemctl restart leukoscope-edge): it puts the damaged file aside "
    "and takes over every frame that is whole."
)


def key(settings: EdgeSettings) -> Finding:
    """Whether the slide key is there, a key, and nobody else's."""
    file = settings.slide_key_file
    if not _is_there(file):
        return ok("slide key", f"not made yet: the first slide makes {file}")
    mode = file.stat().st_mode
    if mode & _OTHERS:
        return wrong(
            "slide key",
            f"{file} can be read by others (mode {stat.S_IMODE(mode):04o}): with it, slide numbers "
            "can be found from their tokens",
            f"chmod 600 {file}, and consider who may have read it",
        )
    try:
        slide_key(file)
    except SlideKeyError as error:
        return wrong("slide key", str(error), _AS_AGENT)
    return ok("slide key", f"{file}, for its owner only; keep a copy of it in a safe place")


def commands(settings: EdgeSettings) -> Finding:
    """Who may order this station from afar."""
    if not settings.allow_commands:
        return ok("commands", "none are taken from afar")
    if settings.command_key_file is None:
        return ok("commands", "taken from whoever the broker lets write to this station's topic")
    try:
        command_key(settings.command_key_file)
    except CommandKeyError as error:
        return wrong("commands", str(error), "The agent does not start with it.")
    return ok("commands", f"taken when signed with {settings.command_key_file}")


def _is_there(file: Path) -> bool:
    """Also True where the folder is closed to this user: that is told when the file is opened."""
    try:
        os.stat(file)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    return True
