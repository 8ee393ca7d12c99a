"""The plug pulled at the issue's size: `python tests/bench/plug.py --kills 50 --captures 200`.

A station scans a simulated slide, with a real broker, store and worker, and is killed (-9) at
random moments. What it said was saved must be stored, once each; the scan must go on where it was
and take no field twice.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plug import Outcome, Trial
from rig import MOSQUITTO, Rig


def main(
    kills: Annotated[int, typer.Option(min=0)] = 50,
    captures: Annotated[int, typer.Option(min=1)] = 200,
    seed: int = 1,
    refocus_every: Annotated[int, typer.Option(min=0, help="fields; 0 never focuses")] = 10,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Run one trial and print what came of it; exit code 1 when anything was lost."""
    broker = "mosquitto" if MOSQUITTO else "embedded"
    with tempfile.TemporaryDirectory(prefix="plug-") as folder:
        rig = Rig(Path(folder) / "home", broker)
        try:
            scan = {"refocus_every": refocus_every}
            outcome = Trial(rig, Path(folder), captures, seed, scan=scan).run(kills, _tell)
        finally:
            rig.close()
    figures = {
        "broker": broker,
        "kills": outcome.kills,
        "seconds": round(outcome.seconds, 1),
        "shown as saved": len(outcome.shown),
        "stored": len(set(outcome.stored)),
        "lost": len(outcome.lost),
        "stored twice": len(outcome.stored) - len(set(outcome.stored)),
        "dead letters": outcome.dead_letters,
        "fields captured twice": outcome.repeated,
        "scan went back": outcome.noted != sorted(outcome.noted),
    }
    print(json.dumps(figures, indent=2) if as_json else _table(figures))
    bad = outcome.lost or figures["stored twice"] or outcome.repeated or outcome.dead_letters
    raise typer.Exit(1 if bad or figures["scan went back"] else 0)


def _tell(outcome: Outcome) -> None:
    print(f"kill {outcome.kills}: {len(outcome.shown)} saved", file=sys.stderr, flush=True)


def _table(figures: dict[str, object]) -> str:
    return "\n".join(f"{name:36}{value}" for name, value in figures.items())


if __name__ == "__main__":
    typer.run(main)
