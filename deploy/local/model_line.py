"""Says on the terminal which model reads the frames, as the worker's /healthz has it."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any


class ModelLine:
    """Asks the worker, and says a sentence whenever another model is live or one was refused.

    Args:
        url: of the worker's /healthz.
        said: told each sentence.
    """

    def __init__(self, url: str, said: Callable[[str], None]) -> None:
        self._url = url
        self._said = said
        self._before: tuple[object, object] = (None, None)

    def look(self) -> None:
        """Ask once; a worker that does not answer is somebody else's to report."""
        report = self._report()
        if report is None:
            return
        model, warning = report["model"], report["warnings"].get("model")
        if model != self._before[0]:
            self._said(f"model {model} reads the frames")
        if warning is not None and warning != self._before[1]:
            self._said(f"model: {warning}")
        self._before = (model, warning)

    def _report(self) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(self._url, timeout=2) as answer:  # noqa: S310  # our own http URL
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.load(error))  # 503: not well, and it says why
        except (OSError, ValueError):
            return None
