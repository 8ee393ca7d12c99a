"""`python -m edge` as a person calls it, with settings in the environment or in a file."""

import os
import subprocess
import sys
from pathlib import Path

import tomli_w

from edge.settings import EdgeSettings


def environment(**settings: object) -> dict[str, str]:
    """This process's environment with the edge's settings replaced by the given ones.

    The page takes any free port, so that stations of several tests stay out of each other's way.
    """
    settings = {"page__port": 0} | settings
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEUKOSCOPE_EDGE_")}
    return kept | {f"LEUKOSCOPE_EDGE_{k.upper()}": str(v) for k, v in settings.items()}


def edge(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "edge", *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def start_edge(log: Path, *arguments: str, **settings: object) -> subprocess.Popen[bytes]:
    """Start, with everything it says in a file."""
    with log.open("ab") as opened:
        return subprocess.Popen(
            [sys.executable, "-m", "edge", *arguments],
            env=environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=subprocess.STDOUT,
        )


def settings_file(folder: Path, settings: EdgeSettings) -> Path:
    """The same settings as a file, secrets and all."""
    plain = settings.model_dump(exclude_none=True, mode="json")
    if settings.broker.password is not None:
        plain["broker"]["password"] = settings.broker.password.get_secret_value()
    file = folder / "edge.toml"
    file.write_text(tomli_w.dumps(plain))
    return file
