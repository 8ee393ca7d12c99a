"""Cameras: one face (`base.Camera`), and backends that are imported only when opened.

Backends: `folder` (replays files), `opencv` (USB), `picamera2` (Raspberry Pi camera modules) and
`simulator`. `open_camera` opens one by a word and a device, such as `opencv:0`.
"""

from edge.cameras.base import Camera, CameraError, CameraExhausted, Shot, TrueCell
from edge.cameras.open import open_camera

__all__ = ["Camera", "CameraError", "CameraExhausted", "Shot", "TrueCell", "open_camera"]
