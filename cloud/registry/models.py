"""The classifier that is live, and the registry's pointer that it follows."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final, Literal, NamedTuple

import platformdirs
import structlog

from cloud.classifier import SHIPPED_BUNDLE, Classifier, Trust
from cloud.registry.cache import Cache
from cloud.registry.fetch import fetch
from cloud.settings import CloudSettings
from cloud.stores.objects import Objects
from wire.manifest import BundleError
from wire.messages import ModelAnnouncement
from wire.registry import Pointer, RegistryError, pointer_key, read_pointer, version_prefix

Said = Callable[[ModelAnnouncement, bool], None]
"""Is told what became of a bundle, and whether another classifier is live by that."""

_NOT_ASKED: Final = b"not asked"

_log = structlog.get_logger("cloud.registry")


class _Bundle(NamedTuple):
    """What a word is about: as the registry calls it, or as it calls itself where none is asked."""

    name: str
    version: str
    sha256: str | None


def _of(pointer: Pointer) -> _Bundle:
    return _Bundle(pointer.name, pointer.version, pointer.sha256)


class Models:
    """Holds the one reference to the live classifier, and exchanges it.

    Whoever classifies a frame takes `live` once and keeps it for that frame.

    Args:
        settings: of the worker.
        objects: the bucket; waits while the store is away.
        said: told on the event loop.

    Raises:
        BundleError: the bundle to begin with cannot be used.
        RegistryError: the model's name may not stand in a key.
        OSError: the cache folder cannot be used.
    """

    def __init__(self, settings: CloudSettings, objects: Objects, said: Said) -> None:
        self._settings = settings
        self._objects = objects
        self._said = said
        self._own = self._open(settings.bundle or SHIPPED_BUNDLE)
        self.live = self._own
        self._nudged = asyncio.Event()
        self._seen: bytes | None = _NOT_ASKED
        """The pointer that was acted on last; None when there was none."""
        self._fault = ""
        """Of the last look, so that one that stays is told once."""
        self._followed = False
        """Whether a bundle of the registry went live in this run."""
        if settings.model is not None:
            self._key = pointer_key(settings.model)
            self._cache = Cache(_cache_folder(settings) / settings.model, self._open)

    def nudge(self) -> None:
        """Ask the registry now, and try again what was refused. On the event loop."""
        self._seen = _NOT_ASKED
        self._nudged.set()

    async def follow(self, ready: Callable[[], None]) -> None:
        """Follow the pointer until cancelled; returns where there is none to follow.

        Args:
            ready: called once, as soon as it is known which bundle is live. Until the store has
                answered that, no frame could be stored either.
        """
        if self._settings.model is None:
            self._say_own("")
            ready()
            return
        await self._look()
        ready()
        while True:
            # Not wait_for: in Python 3.11 it may swallow the cancellation that ends us.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.model_poll_s):
                    await self._nudged.wait()
            self._nudged.clear()
            await self._look()

    async def _look(self) -> None:
        """Look at the pointer once; a fault here must not end the watch, nor the work."""
        try:
            data = await self._objects.get(self._key)
            if data != self._seen:
                await self._act(data)
                self._seen = data
        except Exception as error:  # noqa: BLE001  # a full disk, a fault of ours: told, tried again
            self._seen = _NOT_ASKED
            fault = f"the worker failed, and tries again ({type(error).__name__}: {error})"
            if fault != self._fault:
                _log.exception("model_not_exchanged", key=self._key)
                await self._refuse(None, fault)
            self._fault = fault
        else:
            self._fault = ""

    async def _act(self, data: bytes | None) -> None:
        if data is None:
            return self._nothing_promoted()
        pointer = None
        try:
            pointer = self._read(data)
            self._go_live(await self._obtain(pointer), pointer)
        except (RegistryError, BundleError) as error:
            await self._refuse(pointer, str(error))

    def _read(self, data: bytes) -> Pointer:
        pointer = read_pointer(data, self._key)
        if pointer.name != self._settings.model:
            raise RegistryError(f"{self._key} points to another model, {pointer.name}")
        return pointer

    async def _obtain(self, pointer: Pointer) -> Classifier:
        """The classifier of the pointer's bundle: the live one, a kept one, or a fetched one."""
        if pointer.sha256 == self.live.model.sha256:
            return self.live
        kept = await asyncio.to_thread(self._cache.load, pointer.sha256)
        if kept is not None:
            return kept
        with self._cache.building() as folder:
            await fetch(pointer, self._objects, folder)
            try:
                return await asyncio.to_thread(self._cache.admit, folder, pointer.sha256)
            except BundleError as error:
                # Where it lies in the bucket says more than the folder it was fetched into.
                where = version_prefix(pointer.name, pointer.version).rstrip("/")
                raise BundleError(str(error).replace(str(folder), where)) from error

    def _go_live(self, classifier: Classifier, pointer: Pointer) -> None:
        swapped = classifier is not self.live
        self.live = classifier
        self._followed = True
        _log.info("model_live", version=pointer.version, sha256=pointer.sha256, swapped=swapped)
        self._tell("live", _of(pointer), swapped=swapped)

    async def _refuse(self, pointer: Pointer | None, reason: str) -> None:
        """Go on with what works, and say so everywhere."""
        swapped = False if self._followed else await self._fall_back()
        about = _of(pointer) if pointer else _Bundle(self._settings.model or "", "", None)
        _log.error("model_refused", **about._asdict(), reason=reason, live=self.live.model.sha256)
        self._tell("refused", about, reason, swapped=swapped)

    async def _fall_back(self) -> bool:
        """At the start, the bundle that this machine saw live last comes before the shipped one."""
        kept = await asyncio.to_thread(self._cache.newest)
        if kept is None or kept.model.sha256 == self.live.model.sha256:
            return False
        self.live = kept
        return True

    def _nothing_promoted(self) -> None:
        which = "of the setting `bundle`" if self._settings.bundle else "shipped with leukoscope"
        if self._followed:
            which = "that was live before"
        _log.warning("nothing_promoted", key=self._key, live=self.live.model.sha256)
        self._say_own(f"{self._key} is not there: the bundle {which} works")

    def _say_own(self, reason: str) -> None:
        model = self.live.model
        self._tell("live", _Bundle(model.name, model.version, model.sha256), reason)

    def _tell(
        self,
        outcome: Literal["live", "refused"],
        about: _Bundle,
        reason: str = "",
        *,
        swapped: bool = False,
    ) -> None:
        word = ModelAnnouncement(
            worker=self._settings.name,
            outcome=outcome,
            name=about.name,
            version=about.version,
            sha256=about.sha256,
            reason=reason,
            live=self.live.model,
            at=datetime.now(UTC),
        )
        self._said(word, swapped)

    def _open(self, folder: Path) -> Classifier:
        return Classifier(folder, trust_of(self._settings))


def trust_of(settings: CloudSettings) -> Trust:
    """Whose bundles these settings take, with the keys that are there at this moment."""
    return Trust(_keys(settings.trusted_keys), settings.allow_unsigned)


def _keys(trusted: Sequence[Path]) -> tuple[Path, ...]:
    """Of a folder, the keys that lie there at this moment."""
    found = (sorted(path.glob("*.pem")) if path.is_dir() else [path] for path in trusted)
    return tuple(chain.from_iterable(found))


def _cache_folder(settings: CloudSettings) -> Path:
    return settings.model_cache or platformdirs.user_cache_path("leukoscope") / "models"
