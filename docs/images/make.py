"""Makes the pictures of the README and the handbook from a demo's own results.

`leukoscope demo --data DIR`, then `python docs/images/make.py DIR`.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
COLOURS = {  # BGR; never colour alone: each box carries its words
    "ALL": (60, 60, 220),
    "AML": (200, 60, 200),
    "Normal": (70, 140, 30),
    "unidentified": (0, 150, 220),
}


def annotated(result: Path) -> np.ndarray:
    """A field with the boxes and words of its result."""
    said = json.loads(result.read_text())
    field = cv2.imread(str(result.with_suffix(".jpg")))
    if field is None:
        raise SystemExit(f"no image beside {result}")
    for cell in said["cells"]:
        x, y, w, h = cell["box"]
        colour = COLOURS[cell["label"]]
        cv2.rectangle(field, (x, y), (x + w, y + h), colour, 4)
        words = f"{cell['label']} {cell['probability']:.0%}"
        (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 1.1, 2)
        left, top = min(x, field.shape[1] - wide - 8), max(y, high + 12)
        cv2.rectangle(field, (left, top - high - 12), (left + wide + 8, top), colour, -1)
        cv2.putText(
            field, words, (left + 4, top - 8), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (255, 255, 255), 2
        )
    return field


def main() -> None:
    """Write `field.jpg`: the run's field with the most different words, then the most cells."""
    results = sorted(Path(sys.argv[1], "results").glob("*.json"))

    def richness(result: Path) -> tuple[int, int]:
        cells = json.loads(result.read_text())["cells"]
        return len({cell["label"] for cell in cells}), len(cells)

    field = annotated(max(results, key=richness))
    small = cv2.resize(field, None, fx=0.625, fy=0.625, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(HERE / "field.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
