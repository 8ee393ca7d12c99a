"""A reading room that is served for real, and a browser before it."""

from contextlib import ExitStack

import pytest
from browsers import chromium, show
from reading_room import served_room


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; without it the tests skip, and fail in CI.

    Not for longer: while Playwright runs, no other test of this thread can use asyncio.
    """
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A room with a slide at every stage; the tests of a file share it."""
    with served_room(tmp_path_factory.mktemp("room")) as opened:
        yield opened


@pytest.fixture
def at(browser, served):
    """Opens the room on a screen, signed in."""
    with ExitStack() as stack:

        def opened(path="/", size="phone", scheme="light", who="ada", *, room=None, breaks=False):
            room = room or served
            return stack.enter_context(
                show(
                    browser,
                    room.address,
                    size,
                    scheme,
                    breaks=breaks,
                    path=path,
                    cookie=room.cookie(who) if who else None,
                )
            )

        yield opened
