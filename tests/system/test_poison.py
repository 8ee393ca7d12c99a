import hashlib
import io
import json
import struct
import zlib

import msgspec
import pytest
from frames import frame, jpeg
from PIL import Image
from rig import Heard, until

from wire.codec import encode_frame

pytestmark = pytest.mark.system


def huge_png(number: int) -> bytes:
    """30,000 × 30,000 pixels in some 100 KB: gigabytes once decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(9)
    row = b"\0" + bytes([number]) * 3750  # one bit a pixel
    pixels = b"".join(packer.compress(row) for _ in range(30_000)) + packer.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def with_image(image: bytes, **changes: object) -> bytes:
    digest = hashlib.sha256(image).hexdigest()
    return encode_frame(frame(image=image, **({"sha256": digest} | changes)))


def one_pixel(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1), (number, 0, 0)).save(buffer, "JPEG")
    return buffer.getvalue()


def wrong_schema() -> bytes:
    plain = msgspec.msgpack.decode(encode_frame(frame()))
    return msgspec.msgpack.encode(plain | {"schema": 99})


def poison() -> dict[str, list[bytes]]:
    """25 payloads by the reason that they must be refused for."""
    return {
        "message-unreadable": [bytes([0xC1]) * (7 + n) for n in range(5)],
        "image-truncated": [with_image(jpeg(n)[:-400]) for n in range(4)],
        "schema-unknown": [wrong_schema() for _ in range(4)],
        "image-too-small": [with_image(one_pixel(n), width=1, height=1) for n in range(4)],
        "image-too-large": [with_image(huge_png(n), width=30_000, height=30_000) for n in range(2)],
        "sha256-mismatch": [with_image(jpeg(n), sha256="0" * 64) for n in range(4)],
        "cell-outside-image": [encode_frame(frame(cells=[(150, 100, 60, 60)])) for _ in range(2)],
    }


def test_25_poison_messages_are_25_dead_letters_and_the_60_good_frames_are_done(rig):
    heard = Heard()
    connection = rig.connect(heard)
    poisoned = poison()
    assert sum(map(len, poisoned.values())) == 25
    bad = [payload for payloads in poisoned.values() for payload in payloads]
    good = [frame(n) for n in range(60)]
    for number, one in enumerate(good):
        if number < len(bad):
            rig.publish(connection, bad[number])
        rig.publish(connection, encode_frame(one))
    until(lambda: len(heard.receipts) >= 85, 60, "85 receipts")
    connection.stop()

    refused = [r for r in heard.receipts if r.outcome == "refused"]
    stored = [r for r in heard.receipts if r.outcome == "stored"]
    assert sorted(r.reason for r in refused) == sorted(
        reason for reason, payloads in poisoned.items() for _ in payloads
    )
    assert sorted(r.capture_id for r in stored) == sorted(one.capture_id for one in good)
    assert len(rig.keys("results/")) == 60
    letters = [key for key in rig.keys("dead-letters/") if key.endswith(".json")]
    assert len(letters) == 25
    for receipt in refused:
        assert receipt.detail
        letter = json.loads(rig.read(receipt.key))
        assert letter["reason"] == receipt.reason
        kept = rig.read(receipt.key.removesuffix(".json") + ".bin")
        assert (
            hashlib.sha256(kept).hexdigest() == letter["payload_sha256"] == receipt.payload_sha256
        )


def test_every_capture_that_poison_names_is_named_in_its_receipt(rig):
    heard = Heard()
    connection = rig.connect(heard)
    bad = frame(sha256="0" * 64)
    rig.publish(connection, encode_frame(bad))
    rig.publish(connection, b"\xc1garbage")
    until(lambda: len(heard.receipts) == 2, 20, "two receipts")
    connection.stop()
    assert {r.capture_id for r in heard.receipts} == {bad.capture_id, None}


def test_a_frame_on_another_device_s_topic_is_refused(rig):
    heard = Heard()
    connection = rig.connect(heard)
    rig.publish(connection, encode_frame(frame(device="scope-2")))
    until(lambda: len(heard.receipts) == 1, 20, "a receipt")
    connection.stop()
    assert heard.receipts[0].reason == "topic-mismatch"
