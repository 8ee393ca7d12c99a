"""Builds and parses every topic; nobody else writes one.

leukoscope/1/{site}/{device}/frames | receipts | status | commands | replies
leukoscope/1/{site}/results/{device}
leukoscope/1/{site}/slides/{slide}      retained
leukoscope/1/{site}/reviews/{slide}
leukoscope/1/{site}/models
"""

import re
from typing import Final, Literal, NamedTuple, get_args

ROOT: Final = "leukoscope/1"
DeviceChannel = Literal["frames", "receipts", "status", "commands", "replies"]
_DEVICE_CHANNELS: Final = frozenset(get_args(DeviceChannel))
# A slide called `frames` would put `…/slides/frames` into every worker's `…/+/frames`.
_RESERVED: Final = _DEVICE_CHANNELS | {"results", "slides", "reviews", "models"}
NAME_PATTERN: Final = (
    rf"^(?!(?:{'|'.join(sorted(_RESERVED))})$)" + r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}$(?!\n)"
)
"""A usable name, for JSON Schema too. Python's `$` also matches before a last newline, which
`(?!\\n)` forbids."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


class TopicError(ValueError):
    """A topic, or a name inside one, that leukoscope does not have."""


class DeviceTopic(NamedTuple):
    """A device's topic taken apart."""

    site: str
    device: str
    channel: DeviceChannel


def checked_name(name: str, what: str) -> str:
    """Return `name` when it may stand in a topic, an object key and a client id alike.

    Raises:
        TopicError: it is empty, too long, reserved, or has a character other than
            letters, digits, `-` and `_` (so `+`, `#`, `/`, `.` and `*` never travel).
    """
    if not _NAME.fullmatch(name):
        raise TopicError(
            f"{what} {name!r} is not usable: take 1 to 63 letters, digits, '-' or '_', "
            "beginning with a letter or digit"
        )
    if name in _RESERVED:
        raise TopicError(f"{what} {name!r} is a reserved word: choose another")
    return name


def device(site: str, device_id: str, channel: DeviceChannel) -> str:
    """Topic of one device's channel."""
    return f"{ROOT}/{checked_name(site, 'site')}/{checked_name(device_id, 'device')}/{channel}"


def results(site: str, device_id: str) -> str:
    """Topic on which results of one device's frames are published."""
    return f"{ROOT}/{checked_name(site, 'site')}/results/{checked_name(device_id, 'device')}"


def slides(site: str, slide: str) -> str:
    """Retained topic with the state of one slide."""
    return f"{ROOT}/{checked_name(site, 'site')}/slides/{checked_name(slide, 'slide')}"


def reviews(site: str, slide: str) -> str:
    """Topic on which signatures of one slide are published."""
    return f"{ROOT}/{checked_name(site, 'site')}/reviews/{checked_name(slide, 'slide')}"


def models(site: str) -> str:
    """Topic that announces model bundles."""
    return f"{ROOT}/{checked_name(site, 'site')}/models"


def all_frames(site: str | None = None, share: str | None = None) -> str:
    """Filter for every device's frames, of one site or all; `share` names an MQTT share group."""
    topic_filter = f"{ROOT}/{_or_any(site, 'site')}/+/frames"
    return f"$share/{checked_name(share, 'share group')}/{topic_filter}" if share else topic_filter


def all_results(site: str | None = None) -> str:
    """Filter for every device's results, of one site or all."""
    return f"{ROOT}/{_or_any(site, 'site')}/results/+"


def all_reviews(site: str | None = None) -> str:
    """Filter for signatures of every slide, of one site or all."""
    return f"{ROOT}/{_or_any(site, 'site')}/reviews/+"


def parse_device(topic: str) -> DeviceTopic:
    """Take a device's topic apart.

    Raises:
        TopicError: it is not one.
    """
    parts = topic.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT or parts[4] not in _DEVICE_CHANNELS:
        raise TopicError(f"{topic!r} is not a device topic ({ROOT}/site/device/channel)")
    site, device_id = checked_name(parts[2], "site"), checked_name(parts[3], "device")
    return DeviceTopic(site, device_id, parts[4])  # type: ignore[arg-type]  # checked just above


def _or_any(name: str | None, what: str) -> str:
    return "+" if name is None else checked_name(name, what)
