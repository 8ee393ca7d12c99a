"""Reads results back out of the bucket, into files that a person can open."""

from pathlib import Path

import obstore
from obstore.store import S3Store

from wire.messages import FrameResult


def harvest(store: S3Store, results: list[FrameResult], keys: list[str], folder: Path) -> set[str]:
    """Copy stored results and their images to `folder`.

    Args:
        store: the bucket.
        results: as they were published; they name the images.
        keys: of the results to read.
        folder: gets `{capture}.json` and `{capture}.jpg`.

    Returns:
        Capture ids whose result was in the bucket.
    """
    found: set[str] = set()
    for key in keys:
        try:
            stored = bytes(obstore.get(store, key).bytes())
        except FileNotFoundError:
            continue
        capture_id = Path(key).stem
        (folder / f"{capture_id}.json").write_bytes(stored)
        found.add(capture_id)
    for result in results:
        image = bytes(obstore.get(store, result.image_key).bytes())
        (folder / f"{result.capture_id}.jpg").write_bytes(image)
    return found
