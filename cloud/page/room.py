"""The reading room: everything that its routes work with."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cloud.accounts.audit import Audit
from cloud.accounts.database import Database
from cloud.accounts.people import Accounts
from cloud.accounts.sessions import Sessions
from cloud.index.index import Index
from cloud.live.news import News
from cloud.live.presence import Presence
from cloud.page.health import Health
from cloud.page.logins import Logins
from cloud.page.noted import Noted
from cloud.page.parts import Parts
from cloud.page.waiting import Waiting
from cloud.pictures.pictures import Pictures
from cloud.push.push import Push
from cloud.reviews.desk import Desk
from cloud.settings import CloudSettings
from cloud.signing.after import AfterSignature
from cloud.stores.objects import Objects
from wire.web.shelf import Shelf
from wire.words import RESEARCH_USE_ONLY

_STATIC: Final = Path(__file__).with_name("static")


@dataclass(frozen=True)
class Room:
    """What the routes work with. Opened by `cloud.page.opening.open_room`."""

    settings: CloudSettings
    index: Index
    objects: Objects
    """The bucket; waits while it is away."""
    desk: Desk
    database: Database
    """Of accounts, sessions and the audit log."""
    accounts: Accounts
    sessions: Sessions
    audit: Audit
    noted: Noted
    """Views that stand in the log."""
    logins: Logins
    news: News
    presence: Presence
    waiting: Waiting
    """Acts that wait for the store."""
    pictures: Pictures
    after: AfterSignature
    """Reports as files."""
    push: Push | None
    """None where the settings name no key for it."""
    health: Health
    parts: Parts
    shelf: Shelf


def furnish(
    settings: CloudSettings,
    *,
    index: Index,
    objects: Objects,
    desk: Desk,
    database: Database,
    pictures: Pictures,
    after: AfterSignature,
    news: News,
    health: Health,
    push: Push | None = None,
    fresh: bool = False,
) -> Room:
    """A room around what was opened; it starts nothing."""
    shelf = Shelf(_STATIC, fresh=fresh)
    return Room(
        settings=settings,
        index=index,
        objects=objects,
        desk=desk,
        database=database,
        accounts=Accounts(database),
        sessions=Sessions(
            database, settings.page.idle_minutes * 60, settings.page.session_hours * 3600
        ),
        audit=Audit(database),
        noted=Noted(),
        logins=Logins(),
        news=news,
        presence=Presence(news),
        waiting=Waiting(news),
        pictures=pictures,
        after=after,
        push=push,
        health=health,
        parts=Parts(shelf, _common(settings), fresh=fresh),
        shelf=shelf,
    )


def _common(settings: CloudSettings) -> dict[str, object]:
    """What every template may say."""
    return {
        "site": settings.site or "",
        "version": version("leukoscope"),
        "ruo": RESEARCH_USE_ONLY,
        "handbook": settings.page.handbook,
        "oidc_button": settings.oidc.button if settings.oidc else "",
        "push_on": settings.push_key is not None,
    }
