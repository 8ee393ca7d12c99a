"""Sends the one sentence to one device: encrypted for it, signed for its push service."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid
from pywebpush import WebPusher

from cloud.push.devices import Device
from cloud.push.endpoints import guarded, origin

WORDS: Final = b"A slide needs you."
"""All that is ever said: no slide, no site, no result."""

TTL_S: Final = 12 * 3600
"""How long a push service keeps it for a device that is off."""

_PATIENCE: Final = aiohttp.ClientTimeout(total=20, connect=10)
_CLAIM_S: Final = 12 * 3600
"""For how long a signature to a push service holds; at most 24 hours (RFC 8292)."""

_LONGEST_WAIT_S: Final = 3600.0


@dataclass(frozen=True)
class Answer:
    """What came of it."""

    verdict: Literal["sent", "gone", "refused", "later"]
    """`gone`: the device is there no more. `refused`: trying again would not help."""
    why: str
    wait_s: float = 0.0
    """How long the push service wants to be left alone."""


class Post:
    """The way to push services, while its `async with` block is open.

    Args:
        key: this reading room's.
        contact: whom a push service may write to: `mailto:…` or an https URL.
        private: whether addresses of private networks will do, for trials.
    """

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, contact: str, *, private: bool = False
    ) -> None:
        self._vapid = Vapid(key)
        self._contact = contact
        self._private = private

    async def __aenter__(self) -> "Post":
        connector = aiohttp.TCPConnector(
            ssl=ssl.create_default_context(),
            socket_factory=guarded(private=self._private),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=_PATIENCE,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "leukoscope"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, device: Device) -> Answer:
        """Tell one device."""
        try:
            return await self._send(device)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Its words name the host only, but a push service's own might hold the endpoint.
            return Answer("later", type(error).__name__)
        except Exception as error:  # noqa: BLE001  # one odd device ends nobody else's pushes
            return Answer("refused", type(error).__name__)

    async def _send(self, device: Device) -> Answer:
        body = await asyncio.to_thread(_encrypted, device)
        posting = self._session.post(
            device.endpoint, data=body, headers=self._headers(device), allow_redirects=False
        )
        async with posting as response:
            return _answer(response.status, response.headers.get("Retry-After", ""))

    def _headers(self, device: Device) -> dict[str, str]:
        claims = {
            "aud": origin(device.endpoint),
            "sub": self._contact,
            "exp": int(time.time()) + _CLAIM_S,
        }
        return {
            **self._vapid.sign(claims),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(TTL_S),
            "Urgency": "high",
            "Topic": "needs-you",  # one that waits for a device that is off is not sent twice
        }


def _encrypted(device: Device) -> bytes:
    keys = {"p256dh": device.p256dh, "auth": device.auth}
    encoded: Any = WebPusher({"endpoint": device.endpoint, "keys": keys}).encode(WORDS)
    return bytes(encoded["body"])


def _answer(status: int, retry_after: str) -> Answer:
    why = f"HTTP {status}"
    if status in (200, 201, 202, 204):
        return Answer("sent", why)
    if status in (404, 410):
        return Answer("gone", why)
    if status == 429 or status >= 500:
        return Answer("later", why, _seconds(retry_after))
    return Answer("refused", why)


def _seconds(retry_after: str) -> float:
    """The header is a number of seconds or a date (RFC 9110)."""
    try:
        wanted = float(retry_after)
    except ValueError:
        try:
            wanted = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(wanted, 0.0), _LONGEST_WAIT_S)
