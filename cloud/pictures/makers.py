"""The very model that made a suggestion, long after another went live."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final

import structlog

from cloud.pictures.once import Once
from cloud.pictures.problem import PictureError
from cloud.pictures.store import PATIENCE_S, store_away
from cloud.registry.fetch import fetch
from cloud.stores.objects import Objects
from wire.manifest import BundleError
from wire.messages import ModelRef
from wire.registry import RegistryError

if TYPE_CHECKING:  # they bring onnxruntime: see `Here`
    from cloud.classifier import Classifier
    from cloud.pictures.here import Here

_OPEN: Final = 3
"""Models held in memory."""
_GONE_S: Final = 60.0
"""So long a model that was not found is not looked for again."""

_log = structlog.get_logger("cloud.pictures")


class Makers:
    """Finds models by the SHA-256 of their bundles; opens none before it is asked for.

    Args:
        look_here: opens what is on this machine; called once, on a thread.
        objects: the bucket with the registry; it may wait for ever.
        patience_s: how long somebody waits for a model. It is fetched on meanwhile.
    """

    def __init__(
        self, look_here: "Callable[[], Here]", objects: Objects, patience_s: float = PATIENCE_S
    ) -> None:
        self._look_here = look_here
        self._objects = objects
        self._patience_s = patience_s
        self._open: OrderedDict[str, Classifier] = OrderedDict()
        self._gone: dict[str, float] = {}
        self._once: Once[Classifier] = Once()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._once.close()

    async def of(self, model: ModelRef) -> "Classifier":
        """The model of a result.

        Raises:
            PictureError: `model-gone`, or `store-away` where it takes too long.
        """
        found = self._open.get(model.sha256)
        if found is not None:
            self._open.move_to_end(model.sha256)
            return found
        if time.monotonic() < self._gone.get(model.sha256, 0.0):
            raise _gone(model)
        search = self._once.do(model.sha256, lambda: self._search(model))
        try:
            return await asyncio.wait_for(search, self._patience_s)
        except TimeoutError as error:
            raise store_away() from error

    @cached_property
    def _here(self) -> "Here":
        return self._look_here()

    async def _search(self, model: ModelRef) -> "Classifier":
        try:
            found = await asyncio.to_thread(lambda: self._here.load(model.sha256))
            if found is None:
                found = await self._fetch(model)
        except (BundleError, RegistryError, OSError) as error:
            _log.warning("maker_gone", model=model.name, sha256=model.sha256, cause=str(error))
            self._gone[model.sha256] = time.monotonic() + _GONE_S
            raise _gone(model) from error
        self._open[model.sha256] = found
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)
        return found

    async def _fetch(self, model: ModelRef) -> "Classifier":
        kept = self._here.fetched
        with kept.building() as folder:
            await fetch(model, self._objects, folder)
            return await asyncio.to_thread(kept.admit, folder, model.sha256)


def _gone(model: ModelRef) -> PictureError:
    return PictureError(
        "model-gone",
        f"The model that suggested this ({model.name} {model.version}) is neither on this machine "
        "nor in the store, or is not trusted: what it looked at cannot be drawn.",
    )
