from functools import partial

import pytest
from argon2 import PasswordHasher
from page_end import Browser, page_of, page_settings
from stand_in_desk import CALM, StandInDesk


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes():
    """A hash that costs as much as it should takes longer than most tests; one test sees to it."""
    cheap = partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wire.web.hashing.PasswordHasher", cheap)
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One page for the tests of a file, on a desk that each of them begins anew."""
    folder = tmp_path_factory.mktemp("station")
    desk = StandInDesk(data_dir=folder)
    with page_of(desk, page_settings(folder)) as server:
        yield desk, server


@pytest.fixture
def desk(served):
    began = served[0]
    began.begin(CALM)
    return began


@pytest.fixture
def settings(tmp_path):
    return page_settings(tmp_path)


@pytest.fixture
def server(served):
    return served[1]


@pytest.fixture
def browser(desk, server):
    """On the page, with its token."""
    opened = Browser(server.address)
    opened.open()
    yield opened
    opened.close()
