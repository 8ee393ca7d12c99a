"""The plug is pulled: whatever showed *saved* is stored once, and the scan goes on where it was."""

import os

import pytest
from plug import Trial
from rig import MOSQUITTO, Rig

pytestmark = pytest.mark.system


@pytest.fixture
def rig(tmp_path):
    """One broker is enough here: which of them loses what is `test_exactly_once`'s to show."""
    if MOSQUITTO is None and os.environ.get("CI") == "true":
        pytest.fail("CI must have Mosquitto")
    opened = Rig(tmp_path / "home", "mosquitto" if MOSQUITTO else "embedded")
    yield opened
    opened.close()


def test_a_scan_survives_kill_9_at_random_moments(rig, tmp_path, request):
    if request.config.getoption("--full"):
        kills, captures, changes = 50, 200, {}
    else:
        kills, captures, changes = 4, 10, {"scan": {"refocus_every": 0}}
    outcome = Trial(rig, tmp_path, captures, **changes).run(kills)
    assert outcome.kills == kills
    assert len(outcome.shown) >= captures
    assert outcome.lost == set()
    assert len(outcome.stored) == len(set(outcome.stored)) >= captures
    assert outcome.dead_letters == 0
    assert outcome.noted == sorted(outcome.noted)  # it never went back
    assert outcome.repeated == 0
    assert any(reply.ok for reply in outcome.replies)
