"""Web push: who wants it, and the task that sends."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from cloud.accounts.database import Database
from cloud.accounts.trouble import AccountsTroubleError
from cloud.index.rows import SlideKey
from cloud.push.devices import Device, Devices
from cloud.push.endpoints import Subscription, check, origin
from cloud.push.keys import load_push_key, public_part
from cloud.push.metrics import Metrics
from cloud.push.post import Answer, Post
from cloud.settings import CloudSettings

_AT_ONCE: Final = 8
_LEASE_S: Final = 60.0
"""In which one device is told or not; after it somebody tries again."""

_LOOK_S: Final = 30.0
"""Between two looks at what is due: another program may have noted something."""

_FIRST_RETRY_S: Final = 5.0
_MOST_TRIES: Final = 8
"""With each wait twice the one before: about twenty minutes, then it is given up."""

_log = structlog.get_logger("cloud.push")


class Push:
    """Devices that are told when a slide needs a reader. Its methods are thread-safe.

    Args:
        devices: what is known of them.
        post: the way to push services; opened by `keep`.
        key: public key that a browser asks its push service with.
        services: host names of push services.
        every_s: a device is told at most once in so many seconds.
        private: whether other ports than 443 will do, for trials.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        devices: Devices,
        post: Post,
        key: str,
        *,
        services: Sequence[str],
        every_s: float,
        private: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.key = key
        self.devices = devices
        self.metrics = Metrics()
        self._post = post
        self._services = services
        self._every_s = every_s
        self._private = private
        self._clock = clock
        self._wake: Callable[[], None] = lambda: None

    def check(self, subscription: Subscription) -> None:
        """Refuse what is no device of a known push service.

        Raises:
            PushRefused: it cannot be told.
        """
        check(subscription, self._services, private=self._private)

    def subscribe(self, account: str, session: str, subscription: Subscription) -> None:
        """Tell this device from now on.

        Raises:
            PushRefused: it cannot be told.
            AccountsTroubleError: the database does not answer.
        """
        self.check(subscription)
        self.devices.add(account, session, subscription)

    def unsubscribe(self, account: str, endpoint: str | None) -> None:
        """Tell this device no more; without an endpoint, none of this account.

        Raises:
            AccountsTroubleError: the database does not answer.
        """
        if endpoint is None:
            self.devices.drop_all(account)
        else:
            self.devices.drop(account, endpoint)

    def left(self, session: str) -> None:
        """Somebody has signed out: the device is told no more.

        Raises:
            AccountsTroubleError: the database does not answer.
        """
        self.devices.drop_session(session)

    def first_time(self, key: SlideKey, why: str, number: int = 0) -> bool:
        """Whether this has not been said of a slide before; noted as said from now on.

        Raises:
            AccountsTroubleError: the database does not answer.
        """
        return self.devices.first_time(*key, why, number)

    def needs_you(self, but: str = "") -> int:
        """Have every reader's device told, but those of one account; says how many will be.

        Raises:
            AccountsTroubleError: the database does not answer.
        """
        wanted = self.devices.want(self._clock(), self._every_s, but)
        self._wake()
        return wanted

    async def keep(self) -> None:
        """Send what is due, until cancelled."""
        woken = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._wake = wake
        try:
            async with self._post:
                while True:
                    woken.clear()
                    wait_s = await self._round()
                    # Not wait_for: in Python 3.11 it may swallow the cancellation that ends us.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await woken.wait()
        finally:
            self._wake = lambda: None

    async def _round(self) -> float:
        """Tell all that are due; gives how long to wait then."""
        try:
            taking = (self._clock(), _LEASE_S, _AT_ONCE)
            while due := await asyncio.to_thread(self.devices.take, *taking):
                await asyncio.gather(*map(self._tell, due))
                taking = (self._clock(), _LEASE_S, _AT_ONCE)
            then = await asyncio.to_thread(self.devices.next_due)
        except AccountsTroubleError as error:
            self.metrics.count("trouble")
            _log.warning("push_waits_for_database", cause=str(error))
            return _FIRST_RETRY_S
        return _LOOK_S if then is None else min(max(then - self._clock(), 0.05), _LOOK_S)

    async def _tell(self, device: Device) -> None:
        answer = await self._post.send(device)
        self.metrics.count(answer.verdict)
        if answer.verdict == "sent":
            _log.info("push_sent", account=device.account, service=origin(device.endpoint))
        else:
            _log.warning(
                f"push_{answer.verdict}",
                account=device.account,
                service=origin(device.endpoint),
                why=answer.why,
                tries=device.tries + 1,
            )
        await asyncio.to_thread(self._note, device, answer)

    def _note(self, device: Device, answer: Answer) -> None:
        if answer.verdict == "sent":
            self.devices.told(device, self._clock())
        elif answer.verdict == "gone":
            self.devices.drop_gone(device)
        elif answer.verdict == "later" and device.tries + 1 < _MOST_TRIES:
            self.devices.not_yet(device, self._clock() + _wait_s(device.tries, answer.wait_s))
        else:
            self.metrics.count("given-up")
            self.devices.given_up(device)


def _wait_s(tries: int, wanted_s: float) -> float:
    """Longer each time, and not all at the same moment."""
    spread = random.uniform(0.8, 1.2)  # noqa: S311  # no secret
    return max(_FIRST_RETRY_S * float(2**tries) * spread, wanted_s)


def open_push(settings: CloudSettings, database: Database) -> Push | None:
    """Make it as the settings say; None where they name no key.

    Raises:
        PushKeyError: the key cannot be used.
        AccountsTroubleError: the database does not answer.
    """
    if settings.push_key is None or settings.push_contact is None:
        return None
    key = load_push_key(settings.push_key)
    public = public_part(key)
    return Push(
        Devices(database, public),
        Post(key, settings.push_contact, private=settings.push_private),
        public,
        services=settings.push_services,
        every_s=60 * settings.push_every_minutes,
        private=settings.push_private,
    )
