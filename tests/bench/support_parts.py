"""What the work costs at least: each part alone, in a loop, in one process, by the bare library.

`python tests/bench/support_parts.py FRAMES_FILE CONFIG.json` prints JSON: CPU-ms a frame,
user and system, all threads. paho's part is measured by the bench itself (`echo` of the rivals),
since it needs a broker with something to say.
"""

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import obstore
from obstore.store import S3Store

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cloud.classifier import Classifier
from cloud.reading import Reading, read_frame
from imaging.box import Box
from imaging.crop import cut_cells
from imaging.types import Image
from wire.messages import Frame, Receipt
from wire.topics import DeviceTopic

LEAST_S = 1.0
"""CPU seconds that a part is measured for at least."""
SIDE_BY_SIDE = 16
"""Requests under way at a time: with one alone, each wakes every thread anew and costs more."""


def main(frames_file: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Measure each part on the same frames; and say how long a middling answer is, for `echo`."""
    cv2.setNumThreads(1)
    payloads: list[bytes] = msgspec.msgpack.decode(frames_file.read_bytes())
    classifier = Classifier(Path(config["bundle"]))
    frames = [msgspec.msgpack.decode(payload, type=Frame) for payload in payloads]
    images = [_image(frame) for frame in frames]
    boxes = [[Box(b.x, b.y, b.w, b.h) for b in frame.cells or ()] for frame in frames]
    size = classifier.input_size
    cells = [cut_cells(image, each, *size) for image, each in zip(images, boxes, strict=True)]
    sender = DeviceTopic(frames[0].site, frames[0].device, "frames")
    readings = [read_frame(payload, sender, classifier) for payload in payloads]
    receipt = _receipt(readings[0])
    run = classifier._session.run
    count = len(frames)
    parts = {
        "message": _alone(lambda i: msgspec.msgpack.decode(payloads[i], type=Frame), count),
        "sha256": _alone(lambda i: hashlib.sha256(frames[i].image).hexdigest(), count),
        "jpeg": _alone(lambda i: _image(frames[i]), count),
        "cut": _alone(lambda i: cut_cells(images[i], boxes[i], *size), count),
        "classify": _alone(lambda i: run(["probabilities", "real"], {"cells": cells[i]}), count),
        "json": _alone(lambda i: _write(readings[i], receipt), count),
        "store": asyncio.run(_store(readings, config)),
    }
    lengths = sorted(len(reading.published) for reading in readings)
    return {
        "parts": parts,
        "result_bytes": lengths[count // 2],
        "receipt_bytes": len(msgspec.json.encode(receipt)),
    }


def _image(frame: Frame) -> Image:
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    return np.asarray(cv2.imdecode(np.frombuffer(frame.image, np.uint8), flags), np.uint8)


def _write(reading: Reading, receipt: Receipt) -> None:
    msgspec.json.format(msgspec.json.encode(reading.result), indent=2)
    msgspec.json.encode(receipt)


def _receipt(reading: Reading) -> Receipt:
    result = reading.result
    return Receipt(
        capture_id=result.capture_id,
        outcome="stored",
        key=f"results/{result.site}/{result.device}/{result.capture_id}.json",
        at=result.classified_at,
    )


def _alone(part: Callable[[int], object], count: int) -> float:
    for i in range(count):
        part(i)
    started, done = time.process_time(), 0
    while time.process_time() - started < LEAST_S:
        for i in range(count):
            part(i)
        done += count
    return (time.process_time() - started) / done * 1000


async def _store(readings: list[Reading], config: dict[str, Any]) -> float:
    """An image written over, a result created: the two requests of a frame."""
    store = S3Store(
        config["bucket"],
        endpoint=config["endpoint"],
        region="us-east-1",
        access_key_id=config["access_key_id"],
        secret_access_key=config["secret_access_key"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    rounds = 0

    async def put(number: int, name: str) -> None:
        image, result = readings[number].image, readings[number].stored
        await obstore.put_async(store, f"parts/{name}.jpg", image, use_multipart=False)
        await obstore.put_async(
            store, f"parts/{name}.json", result, mode="create", use_multipart=False
        )

    async def lane(first: int) -> None:
        for i in range(first, len(readings), SIDE_BY_SIDE):
            await put(i, f"{config['site']}-{rounds}-{i}")

    await asyncio.gather(*(lane(i) for i in range(SIDE_BY_SIDE)))  # warm-up
    started, done = time.process_time(), 0
    while time.process_time() - started < LEAST_S:
        rounds += 1
        await asyncio.gather(*(lane(i) for i in range(SIDE_BY_SIDE)))
        done += len(readings)
    return (time.process_time() - started) / done * 1000


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))))
