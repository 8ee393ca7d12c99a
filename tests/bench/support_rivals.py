"""What an engineer would write in an afternoon: paho, cv2, onnxruntime and boto3, by their books.

`python tests/bench/support_rivals.py plain|pool|pool-tuned|echo CONFIG.json`

plain       everything in paho's on_message, acknowledged by paho when that returns
pool        the same in 16 threads, each frame acknowledged by its thread when it is done
pool-tuned  the pool with onnxruntime and OpenCV told to use one thread and not to spin
echo        no work: takes a frame, publishes two stored messages, acknowledges (paho's own cost)

Default options all over, but for boto3's connection pool, which has as many connections as there
are threads (its default of 10 would open and close connections all the time and log about it).
"""

import hashlib
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import cv2
import msgspec
import numpy as np
import onnxruntime
from botocore.config import Config
from botocore.exceptions import ClientError
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from imaging.box import Box
from imaging.crop import cut_cells

THREADS = 16
Publish = Callable[[str, str], object]


class Script:
    """Handles a frame: the work that the worker does, with none of its care."""

    def __init__(self, config: dict[str, Any], *, tuned: bool) -> None:
        self._site, self._bucket = config["site"], config["bucket"]
        bundle = Path(config["bundle"])
        manifest = json.loads((bundle / "manifest.json").read_text())
        digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
        self._labels, self._sure = manifest["labels"], manifest["abstain_below"]
        self._size = manifest["height"], manifest["width"]
        self._model = {k: manifest[k] for k in ("name", "version")} | {"sha256": digest}
        options = onnxruntime.SessionOptions()
        if tuned:
            cv2.setNumThreads(1)
            options.intra_op_num_threads = 1
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(bundle / "classifier.onnx"), options)
        self._s3 = boto3.client(
            "s3",
            endpoint_url=config["endpoint"],
            region_name="us-east-1",
            aws_access_key_id=config["access_key_id"],
            aws_secret_access_key=config["secret_access_key"],
            config=Config(max_pool_connections=THREADS),
        )

    def handle(self, topic: str, payload: bytes | bytearray, publish: Publish) -> None:
        """Decode, check, classify, store, tell."""
        frame = msgspec.msgpack.decode(payload)
        if hashlib.sha256(frame["image"]).hexdigest() != frame["sha256"]:
            raise ValueError("the image changed on the way")
        image = cv2.imdecode(np.frombuffer(frame["image"], np.uint8), cv2.IMREAD_COLOR_RGB)
        boxes = [Box(*box) for box in frame["cells"]]
        cells = self._classify(np.asarray(image, np.uint8), boxes)
        device, capture = frame["device"], frame["capture_id"]
        image_key = f"frames/{self._site}/{device}/{capture}.{frame['sha256'][:8]}.jpg"
        key = f"results/{self._site}/{device}/{capture}.json"
        result = self._result(frame, cells, image_key)
        self._s3.put_object(Bucket=self._bucket, Key=image_key, Body=frame["image"])
        duplicate = not self._create(key, json.dumps(result, indent=2).encode())
        publish(f"leukoscope/1/{self._site}/results/{device}", json.dumps(result))
        receipt = {
            "schema": 1,
            "capture_id": capture,
            "outcome": "stored",
            "duplicate": duplicate,
            "key": key,
            "at": _now(),
        }
        publish(topic.removesuffix("frames") + "receipts", json.dumps(receipt))

    def _classify(
        self, image: Any, boxes: list[Box]
    ) -> list[dict[str, Any]]:  # cv2's and numpy's types
        if not boxes:
            return []
        found, real = self._session.run(
            ["probabilities", "real"], {"cells": cut_cells(image, boxes, *self._size)}
        )
        cells = []
        for box, row, score in zip(boxes, found, np.ravel(real), strict=True):
            best = int(row.argmax())
            cells.append({
                "box": list(box),
                "label": self._labels[best] if row[best] >= self._sure else "unidentified",
                "probability": round(float(row[best]), 4),
                "probabilities": {
                    label: round(float(p), 4) for label, p in zip(self._labels, row, strict=True)
                },
                "real": round(float(score), 4),
            })  # fmt: skip
        return cells

    def _create(self, key: str, body: bytes) -> bool:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    def _result(
        self, frame: dict[str, Any], cells: list[dict[str, Any]], image_key: str
    ) -> dict[str, Any]:
        labels = [cell["label"] for cell in cells]
        counts = {label: labels.count(label) for label in [*self._labels, "unidentified"]}
        identified = len(labels) - counts["unidentified"]
        blasts = max(("ALL", "AML"), key=lambda label: counts[label])
        if not identified:
            label = "unidentified"
        else:
            label = blasts if counts[blasts] >= max(1, 0.2 * identified) else "Normal"
        kept = ("capture_id", "site", "device", "slide", "width", "height", "quality", "finder")
        return {
            "schema": 1,
            "notice": "Research use only.",
            "state": "preliminary",
            **{name: frame[name] for name in kept},
            "label": label,
            "explanation": f"{counts.get(label, 0)} of {identified} cells are suggested {label}.",
            "counts": counts,
            "cells": cells,
            "model": self._model,
            "captured_at": frame["captured_at"].isoformat(),
            "classified_at": _now(),
            "image_key": image_key,
            "image_sha256": frame["sha256"],
            "timings_ms": {"decode": 0, "find": 0, "classify": 0},
        }


def connect(config: dict[str, Any], kind: str) -> paho.Client:
    """A client, subscribed to the site's frames once connected; says `ready` then."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"bench-{kind}-{config['site']}",
        manual_ack=kind != "plain",
    )
    if config["username"]:
        client.username_pw_set(config["username"], config["password"])

    def on_connect(*_: object) -> None:
        client.subscribe(f"leukoscope/1/{config['site']}/+/frames", qos=1)

    def on_subscribe(*_: object) -> None:
        print("ready", flush=True)

    client.on_connect, client.on_subscribe = on_connect, on_subscribe
    client.connect("127.0.0.1", config["port"])
    return client


def plain(config: dict[str, Any]) -> None:
    """Everything in on_message."""
    script = Script(config, tuned=False)
    client = connect(config, "plain")

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        script.handle(message.topic, message.payload, lambda t, p: client.publish(t, p, qos=1))

    client.on_message = on_message
    client.loop_forever()


def pool(config: dict[str, Any], *, tuned: bool) -> None:
    """The same in 16 threads."""
    script = Script(config, tuned=tuned)
    client = connect(config, "pool")

    def work(message: paho.MQTTMessage) -> None:
        script.handle(message.topic, message.payload, lambda t, p: client.publish(t, p, qos=1))
        client.ack(message.mid, message.qos)

    with ThreadPoolExecutor(THREADS) as threads:

        def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
            threads.submit(work, message).add_done_callback(_shown)

        client.on_message = on_message
        client.loop_forever()


def echo(config: dict[str, Any]) -> None:
    """Only paho: a frame in, a result and a receipt of the usual size out, acknowledged."""
    client = connect(config, "echo")
    result, receipt = b"r" * config["result_bytes"], b"r" * config["receipt_bytes"]

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        device = message.topic.split("/")[3]
        client.publish(f"leukoscope/1/{config['site']}/results/{device}", result, qos=1)
        client.publish(message.topic.removesuffix("frames") + "receipts", receipt, qos=1)
        client.ack(message.mid, message.qos)

    client.on_message = on_message
    client.loop_forever()


def _shown(done: Any) -> None:  # a Future of nothing
    if error := done.exception():
        print(f"failed: {error!r}", flush=True)


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    kind, file = sys.argv[1:]
    settings = json.loads(Path(file).read_text())
    if kind == "plain":
        plain(settings)
    elif kind == "echo":
        echo(settings)
    else:
        pool(settings, tuned=kind == "pool-tuned")
