"""The spool on a stick: frames as files, for when no network will come."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge.spool.spool import Spool
from wire.codec import decode_frame
from wire.words import RESEARCH_USE_ONLY


def export_spool(spool: Spool, folder: Path) -> int:
    """Write every frame of the spool; the spool keeps them until their receipts come.

    Each capture becomes `{capture}.frame` (the message as it would be sent), `{capture}.jpg` (the
    field) and `{capture}.json` (what is known of it). No accession number is in any of them.

    Returns:
        How many captures were written.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for entry in spool.entries():
        payload = spool.payload(entry.capture_id)
        if payload is None:  # its receipt came meanwhile
            continue
        frame = decode_frame(payload)
        known = {
            "notice": RESEARCH_USE_ONLY,
            "capture_id": entry.capture_id,
            "slide": entry.slide,
            "captured_at": frame.captured_at.isoformat(),
            "camera": frame.camera,
            "exposed": msgspec.to_builtins(frame.exposed),
            "saved_at": datetime.fromtimestamp(entry.saved_at, UTC).isoformat(),
            "state": entry.state,
            "reason": entry.reason,
            "detail": entry.detail,
        }
        (folder / f"{entry.capture_id}.frame").write_bytes(payload)
        (folder / f"{entry.capture_id}.jpg").write_bytes(frame.image)
        (folder / f"{entry.capture_id}.json").write_text(json.dumps(known, indent=2) + "\n")
        written += 1
    return written
