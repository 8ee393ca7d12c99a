import pytest
from slide_screen import Shared


@pytest.fixture(scope="module")
def with_slide(tmp_path_factory):
    """Runs a test, `work(here)`, on a slide of its own; one room serves a file."""
    shared = Shared(tmp_path_factory.mktemp("room"))
    yield shared
    shared.close()
