import pytest

from cloud.worker.health import Health, serve
from cloud.worker.metrics import Metrics
from deploy.local.model_line import ModelLine


@pytest.fixture
def health():
    return Health("acgan 0.2.0 aaa")


@pytest.fixture
def line(health):
    """A line that asks a worker's /healthz, and what it said."""
    running = serve("127.0.0.1", 0, Metrics().registry, health.report)
    said = []
    yield ModelLine(f"http://127.0.0.1:{running.server_address[1]}/healthz", said.append), said
    running.shutdown()
    running.server_close()


def test_the_live_model_is_said_once_and_again_when_another_is(line, health):
    asking, said = line
    asking.look()
    asking.look()
    health.model("acgan 0.3.0 bbb", swapped=True)
    asking.look()
    assert said == [
        "model acgan 0.2.0 aaa reads the frames",
        "model acgan 0.3.0 bbb reads the frames",
    ]


def test_a_refused_model_is_said_with_its_reason_and_again_if_it_comes_again(line, health):
    asking, said = line
    asking.look()
    for warning in ("0.4.0 is refused: altered", None, "0.4.0 is refused: altered"):
        health.warn("model", warning)
        asking.look()
        asking.look()
    assert said[1:] == ["model: 0.4.0 is refused: altered"] * 2


def test_a_worker_that_does_not_answer_is_no_event():
    said = []
    ModelLine("http://127.0.0.1:9/healthz", said.append).look()
    assert said == []
