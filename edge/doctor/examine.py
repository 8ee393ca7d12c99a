"""All checks, one after the other; one that fails itself stops none of the others."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from edge.doctor import attached, kept, machine, network
from edge.doctor.finding import Finding, wrong
from edge.settings import EdgeSettings
from wire.settings import SettingsError

Check = Callable[[EdgeSettings], Finding | Iterable[Finding]]


def examine(file: Path | None = None) -> Iterator[Finding]:
    """Look at everything; each finding comes as soon as it is known.

    Args:
        file: settings, as for the agent; None for those of the environment.
    """
    try:
        settings = EdgeSettings.load(file)
    except SettingsError as error:
        yield wrong("settings", str(error), "Correct them; the rest cannot be looked at before.")
        return
    for name, check in _checks(file or _file_from_environment()):
        yield from _carried_out(name, check, settings)


def _file_from_environment() -> Path | None:
    name = os.environ.get("LEUKOSCOPE_EDGE_CONFIG")
    return Path(name) if name else None


def _checks(file: Path | None) -> list[tuple[str, Check]]:
    return [
        ("settings", partial(kept.settings_file, file=file)),
        ("camera", attached.camera),
        ("stage", attached.stage),
        ("button and light", attached.panel),
        ("disk", machine.disk),
        ("clock", machine.clock),
        ("broker", network.broker),
        ("certificate", network.certificates),
        ("page", network.page),
        ("spool", kept.spool),
        ("slide key", kept.key),
        ("commands", kept.commands),
    ]


def _carried_out(name: str, check: Check, settings: EdgeSettings) -> list[Finding]:
    try:
        found = check(settings)
    except Exception as error:  # noqa: BLE001  # a doctor that dies of one illness finds no other
        what = f"could not be looked at: {type(error).__name__}: {error}"
        return [wrong(name, what, "Report this: the doctor itself failed here.")]
    return [found] if isinstance(found, Finding) else list(found)
