"""Fixtures for every room."""

import os
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_images() -> Path:
    """The folder of real images; skips without it, fails without it in CI."""
    folder = Path(os.environ.get("LEUKOSCOPE_DATA", ROOT.parent / "shared" / "data"))
    if (folder / "index.csv").is_file():
        return folder
    reason = f"no real images at {folder} (set LEUKOSCOPE_DATA)"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must see the real images: {reason}")
    pytest.skip(reason)


def pytest_configure() -> None:
    """Let Ctrl-C mean Ctrl-C.

    A shell starts what runs in the background with SIGINT ignored, and every program that a test
    starts would inherit that: a test that ends one by Ctrl-C would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--full` runs system tests at the size that the project promises."""
    parser.addoption("--full", action="store_true", help="system tests at full size (minutes)")
