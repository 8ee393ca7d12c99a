"""Where pushes may go: what a browser hands in is an address that this server will post to."""

import base64
import binascii
import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field

_HTTPS: Final = 443
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")

_AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, Any]


class PushRefused(Exception):  # noqa: N818  # a verdict, not a fault of the program
    """A device cannot be told; code and sentence as in docs/refusals.md."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class PrivateAddressError(OSError):
    """A push service's name leads into a private network."""


class DeviceKeys(BaseModel):
    """With what a browser decrypts (RFC 8291)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    p256dh: str = Field(max_length=128)
    auth: str = Field(max_length=64)


class Subscription(BaseModel):
    """What a browser's `PushSubscription.toJSON()` gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = Field(max_length=2048)
    keys: DeviceKeys
    expiration_time: float | None = Field(None, alias="expirationTime")


def check(subscription: Subscription, services: Sequence[str], *, private: bool) -> None:
    """Refuse what is no device of a known push service.

    Args:
        subscription: as a browser handed it in.
        services: host names; what is under them counts, too.
        private: whether other ports than 443 will do: for trials on one machine.

    Raises:
        PushRefused: which is wrong, and what to do.
    """
    _check_endpoint(subscription.endpoint, services, private=private)
    _check_keys(subscription.keys)


def origin(endpoint: str) -> str:
    """Scheme, host and port: all of an endpoint that may stand in a log."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def _check_endpoint(endpoint: str, services: Sequence[str], *, private: bool) -> None:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _not_a_service("cannot be read") from error
    if parts.scheme != "https":
        raise _not_a_service("is not https")
    if parts.username is not None or not _HOST.fullmatch(host):
        raise _not_a_service("does not name a host as push services do")
    if port not in (None, _HTTPS) and not private:
        raise _not_a_service("names a port of its own")
    if not any(host == service or host.endswith(f".{service}") for service in services):
        raise PushRefused(
            "push-service-unknown",
            "This browser's push service is not one that the reading room sends to. Whoever runs "
            "it can add the service by the setting push_services.",
        )


def _not_a_service(why: str) -> PushRefused:
    return PushRefused(
        "push-endpoint-invalid",
        f"The address that the browser gave for pushes {why}. Load the page again and repeat it, "
        "or use another browser.",
    )


def _check_keys(keys: DeviceKeys) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _plain(keys.p256dh))
        fits = len(_plain(keys.auth)) == 16
    except (ValueError, binascii.Error):
        fits = False
    if not fits:
        raise PushRefused(
            "push-keys-invalid",
            "The keys that the browser gave for pushes cannot be used. Load the page again and "
            "repeat it.",
        )


def _plain(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def guarded(*, private: bool) -> Callable[[_AddressInfo], socket.socket]:
    """Makes sockets for public addresses only.

    It is asked with the address that is about to be connected to: what a name said a moment ago
    cannot differ from it, and neither digits in the endpoint nor a redirect come round it.
    """

    def make(info: _AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not private and not _public(address[0]):
            raise PrivateAddressError(f"{address[0]} is not a public address")
        return socket.socket(family, kind, protocol)

    return make


def _public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    return bool(inner.is_global and not inner.is_multicast)
