"""The rig, on each broker that is here."""

import os

import pytest
from rig import MOSQUITTO, Rig


@pytest.fixture(params=["mosquitto", "embedded"])
def broker(request):
    """Name of the broker; without Mosquitto its tests skip, and fail in CI."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Mosquitto")
        pytest.skip("Mosquitto is not installed (apt install mosquitto)")
    return request.param


@pytest.fixture
def rig(broker, tmp_path):
    """Broker, store and worker, running."""
    opened = Rig(tmp_path / "home", broker)
    yield opened
    opened.close()
