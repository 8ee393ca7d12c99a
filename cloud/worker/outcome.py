"""How a frame ends: stored, met again, or refused; never otherwise."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from cloud.reading import Reading, for_people
from cloud.refusal import Refusal
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.codec import MessageError, decode, encode
from wire.messages import FrameResult, Receipt
from wire.topics import DeviceTopic
from wire.words import RESEARCH_USE_ONLY


@dataclass(frozen=True, slots=True)
class Outcome:
    """The receipt to send, and the result to publish where there is one."""

    receipt: Receipt
    result: bytes | None = None


async def store_reading(reading: Reading, objects: Objects) -> Outcome:
    """Store image and slide entry, then create the result; where one exists, answer with that one.

    Raises:
        Refusal: the capture id already belongs to another image.
    """
    result = reading.result
    key = keys.result(result.site, result.device, result.capture_id)
    entry = keys.slide_field(result.site, result.slide, result.device, result.capture_id)
    # First: no result without its image, nor without its place in the slide.
    await asyncio.gather(
        objects.put(result.image_key, reading.image), objects.put(entry, key.encode())
    )
    if await objects.create(key, reading.stored):
        return Outcome(_stored(result.capture_id, key), reading.published)
    return await _met_again(reading, key, objects)


async def store_dead_letter(
    payload: bytes, topic: str, sender: DeviceTopic | None, refusal: Refusal, objects: Objects
) -> Outcome:
    """Keep a refused payload and its reason under its SHA-256; the same one twice is one."""
    digest = hashlib.sha256(payload).hexdigest()
    site, device = (sender.site, sender.device) if sender else ("unknown", "unknown")
    key = keys.dead_letter(site, device, digest)
    now = datetime.now(UTC)
    letter = {
        "notice": RESEARCH_USE_ONLY,
        "reason": refusal.reason,
        "detail": str(refusal),
        "capture_id": refusal.capture_id,
        "topic": topic,
        "received_at": now,
        "payload_bytes": len(payload),
        "payload_sha256": digest,
    }
    await objects.put(f"{key}.bin", payload)
    await objects.create(f"{key}.json", for_people(msgspec.json.encode(letter)))
    receipt = Receipt(
        capture_id=refusal.capture_id,
        payload_sha256=digest,
        outcome="refused",
        reason=refusal.reason,
        detail=str(refusal),
        key=f"{key}.json",
        at=now,
    )
    return Outcome(receipt)


async def _met_again(reading: Reading, key: str, objects: Objects) -> Outcome:
    result = reading.result
    existing = await objects.get(key)
    if existing is None:  # deleted in between by somebody else: then ours is the one
        await objects.create(key, reading.stored)
        return Outcome(_stored(result.capture_id, key), reading.published)
    try:
        before = decode(existing, FrameResult)
    except MessageError:
        # Written by another version: it is stored, which is what the station must know.
        return Outcome(_stored(result.capture_id, key, duplicate=True))
    if before.image_sha256 != result.image_sha256:
        raise Refusal(
            "capture-id-reused",
            f"capture {result.capture_id} is already stored with another image: "
            "check the station's clock and disk, and capture the field again",
            result.capture_id,
        )
    return Outcome(_stored(result.capture_id, key, duplicate=True), encode(before))


def _stored(capture_id: str, key: str, *, duplicate: bool = False) -> Receipt:
    return Receipt(
        capture_id=capture_id, outcome="stored", duplicate=duplicate, key=key, at=datetime.now(UTC)
    )
