"""Object keys. A capture's keys come from its id alone, so a repeat meets its own result.

frames/{site}/{device}/{capture}.{image sha256, 8 digits}.jpg
results/{site}/{device}/{capture}.json
dead-letters/{site}/{device}/{payload sha256}.bin and .json
"""

from typing import Final

FRAMES: Final = "frames/"
RESULTS: Final = "results/"
DEAD_LETTERS: Final = "dead-letters/"
LAYOUT: Final = "leukoscope/layout.json"
"""Written by `leukoscope-cloud setup`: says what lies under which prefix."""


def frame(site: str, device: str, capture_id: str, image_sha256: str) -> str:
    """Key of a captured field's JPEG; another image under the same capture id cannot replace it."""
    return f"{FRAMES}{site}/{device}/{capture_id}.{image_sha256[:8]}.jpg"


def result(site: str, device: str, capture_id: str) -> str:
    """Key of a capture's one result."""
    return f"{RESULTS}{site}/{device}/{capture_id}.json"


def dead_letter(site: str, device: str, payload_sha256: str) -> str:
    """Key of a dead letter, without ending: `.bin` is the payload, `.json` says why."""
    return f"{DEAD_LETTERS}{site}/{device}/{payload_sha256}"
