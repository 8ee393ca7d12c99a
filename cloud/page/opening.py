"""Opens the reading room as the settings say, and closes it again."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

import stamina
import structlog

from cloud.accounts.audit import Audit
from cloud.accounts.database import Database
from cloud.accounts.open import open_accounts
from cloud.index.index import Index
from cloud.index.open import open_index
from cloud.live.feeder import Feeder
from cloud.live.news import News
from cloud.page.health import Health, Part
from cloud.page.publisher import Publisher
from cloud.page.room import Room, furnish
from cloud.page.still_allowed import still_allowed
from cloud.pictures import open_pictures
from cloud.push.push import Push, open_push
from cloud.push.watch import Watch
from cloud.reviews.desk import Desk
from cloud.reviews.signing import ReviewKeyError, configured_keys, load_key, load_trusted
from cloud.settings import CloudSettings
from cloud.signing.notes import Notes
from cloud.signing.open import Signing, open_signing
from cloud.slides.sums import SlideSums
from cloud.stores import keys
from cloud.stores.objects import Objects, open_store

_STORE_LOOK_S: Final = 15.0
"""How often the store is asked whether somebody signs or not, in seconds."""

_SUMS_S: Final = 3.0
"""How long the last slides may take to be added up at the end, in seconds."""

_Work: TypeAlias = tuple[Part, Coroutine[Any, Any, None]]
"""What goes on beside the page, and the part that is in trouble where it ends."""

_log = structlog.get_logger("cloud.page")


@asynccontextmanager
async def open_room(settings: CloudSettings) -> AsyncIterator[Room]:
    """Open everything the page stands on; waits neither for the store nor for the broker.

    Raises:
        ReviewKeyError: `review_key` is missing or cannot be used.
        IndexTroubleError: the projection cannot be used.
        AccountsTroubleError: nor the database of accounts.
        ConnectionSetupError: the broker settings cannot work.
        PushKeyError: `push_key` cannot be used.
        SettingsError: the FHIR codes or certificates cannot be used.
        OSError: the folder of pictures cannot be used.
    """
    # Health logs when the store goes and comes; a line for every retry would drown that.
    stamina.instrumentation.set_on_retry_hooks([])
    health, news = Health(), News()
    async with AsyncExitStack() as open_:
        stores = _open_stores(settings, health, open_)
        writing = _open_writing(settings, stores, health, open_)
        pictures = open_pictures(settings, stores.index, stores.objects)
        open_.push_async_callback(pictures.close)
        push = open_push(settings, stores.database)
        works = [*_works(settings, stores, writing, news, health)]
        works += _pushing(stores.index, news, push)
        await open_.enter_async_context(_going(health, works))
        room = furnish(
            settings,
            index=stores.index,
            objects=stores.objects,
            desk=writing.desk,
            database=stores.database,
            pictures=pictures,
            after=writing.signing.after,
            push=push,
            news=news,
            health=health,
        )
        open_.push_async_callback(room.waiting.close)
        open_.callback(health.close)
        yield room


@dataclass(frozen=True)
class _Stores:
    """Where everything is."""

    index: Index
    database: Database
    objects: Objects


@dataclass(frozen=True)
class _Writing:
    """What is written, and what follows it."""

    desk: Desk
    sums: SlideSums
    signing: Signing


def _open_stores(settings: CloudSettings, health: Health, open_: AsyncExitStack) -> _Stores:
    index = open_.enter_context(closing(open_index(settings)))
    database = open_.enter_context(closing(open_accounts(settings)))
    end = Audit(database).head()
    # In the program's log, and so somewhere else: `audit --verify` can be held against it.
    _log.info("audit_log_opened", number=end.number, digest=end.digest)
    store = open_store(settings.store)
    return _Stores(
        index,
        database,
        Objects(store, settings.retry_max_s, lambda said: health.set("store", said)),
    )


def _open_writing(
    settings: CloudSettings, stores: _Stores, health: Health, open_: AsyncExitStack
) -> _Writing:
    publisher = Publisher(settings, health)
    sums = SlideSums(
        f"{settings.name}-desk",
        stores.objects,
        publisher.say,
        lambda said: health.set("slides", said),
        trusted=configured_keys(settings),
    )
    signing = open_signing(settings, stores.objects)
    open_.push_async_callback(signing.close)
    desk = _desk(settings, stores, sums, publisher, signing.notes)
    publisher.start()
    open_.callback(publisher.stop)
    open_.push_async_callback(sums.finish, _SUMS_S)
    return _Writing(desk, sums, signing)


def _desk(
    settings: CloudSettings, stores: _Stores, sums: SlideSums, publisher: Publisher, notes: Notes
) -> Desk:
    if settings.review_key is None:
        raise ReviewKeyError(
            "review_key is not set: make a key with `leukoscope-cloud review-key FILE`; what "
            "readers do is signed with it"
        )
    return Desk(
        stores.objects,
        load_key(settings.review_key),
        load_trusted(settings.review_trusted),
        sums,
        publisher.tell,
        second_reader=settings.second_reader,
        due=notes.put,
        still_allowed=still_allowed(stores.database, second_reader=settings.second_reader),
    )


def _works(
    settings: CloudSettings, stores: _Stores, writing: _Writing, news: News, health: Health
) -> Iterator[_Work]:
    """What goes on beside the page."""
    feeder = Feeder(
        settings,
        stores.objects,
        stores.index,
        news,
        configured_keys(settings),
        lambda said: health.set("feeder", said),
    )
    outbox = writing.signing.outbox(writing.desk.load, lambda said: health.set("reports", said))
    yield "feeder", feeder.keep()
    yield "slides", writing.sums.keep()
    yield "reports", outbox.keep()
    yield "store", _look_at(stores.objects)


def _pushing(index: Index, news: News, push: Push | None) -> list[_Work]:
    if push is None:
        return []
    return [("push", push.keep()), ("push", Watch(index, news, push).keep())]


async def _look_at(objects: Objects) -> None:
    """Ask the store from time to time, so that the page knows of it before a reader signs."""
    while True:
        await objects.get(keys.LAYOUT)
        await asyncio.sleep(_STORE_LOOK_S)


@asynccontextmanager
async def _going(health: Health, works: Iterable[_Work]) -> AsyncIterator[None]:
    """Let them go on beside the page; of one that ends before its time the part is in trouble."""
    tasks = []
    for part, work in works:
        task = asyncio.ensure_future(work)
        task.add_done_callback(partial(_ended, health, part))
        tasks.append(task)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ended(health: Health, part: Part, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("room_work_ended", part=part, exc_info=error)
        health.end(part, f"ended by a fault of the program ({type(error).__name__})")
