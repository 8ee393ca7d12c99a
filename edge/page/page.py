"""The parts of the page put together."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from edge.desk import Desk
from edge.page.eye import Eye
from edge.page.guard.passwords import Passwords
from edge.page.guard.sessions import Sessions
from edge.page.handbook import Handbook
from edge.page.live import Live
from edge.page.parts import Parts
from edge.page.reading import Reading
from edge.settings import EdgeSettings
from wire.web.attempts import Attempts
from wire.web.shelf import Shelf
from wire.words import RESEARCH_USE_ONLY

_STATIC: Final = Path(__file__).with_name("static")


@dataclass(frozen=True)
class Page:
    """What the routes work with."""

    desk: Desk
    settings: EdgeSettings
    shelf: Shelf
    handbook: Handbook
    parts: Parts
    reading: Reading
    eye: Eye
    live: Live
    passwords: Passwords
    sessions: Sessions
    attempts: Attempts

    @property
    def locked(self) -> bool:
        """Whether one has to sign in: also where the password's file was taken away."""
        return self.settings.page.needs_password or self.passwords.is_set

    def close(self) -> None:
        """End all streams."""
        self.eye.close()
        self.live.close()


def open_page(desk: Desk, settings: EdgeSettings, *, fresh: bool = False) -> Page:
    """Put the page's parts together; `fresh` reads templates and static files at every use."""
    shelf, handbook = Shelf(_STATIC, fresh=fresh), Handbook(settings.page)
    station = {
        "site": settings.site,
        "device": settings.device,
        "version": version("leukoscope"),
        "ruo": RESEARCH_USE_ONLY,
    }
    parts = Parts(shelf, station, fresh=fresh)
    eye = Eye(desk, settings.preview_fps)
    reading = Reading(desk, eye, handbook)
    passwords = Passwords(settings.page_password_file)
    return Page(
        desk=desk,
        settings=settings,
        shelf=shelf,
        handbook=handbook,
        parts=parts,
        reading=reading,
        eye=eye,
        live=Live(desk, reading, parts),
        passwords=passwords,
        sessions=Sessions(settings.page.idle_minutes * 60, passwords.mark),
        attempts=Attempts(),
    )
