import json
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cloud.worker.health import Health, serve
from cloud.worker.metrics import Metrics


@pytest.fixture
def health():
    return Health("leukoscope 0.1 abc")


@pytest.fixture
def server(health):
    """`/healthz` and `/metrics` as the worker serves them; gives its address and its metrics."""
    metrics = Metrics()
    running = serve("127.0.0.1", 0, metrics.registry, health.report)
    yield f"http://127.0.0.1:{running.server_address[1]}", metrics
    running.shutdown()
    running.server_close()


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # our own http URL
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def healthz(base):
    status, body = get(f"{base}/healthz")
    return status, json.loads(body)


def test_a_worker_that_was_just_started_is_not_well_and_says_of_what(server):
    status, body = healthz(server[0])
    assert status == 503
    assert body == {
        "ok": False,
        "troubles": {"broker": "not yet connected", "store": "not yet asked"},
        "warnings": {},
        "model": "leukoscope 0.1 abc",
        "swaps": 0,
    }


def test_health_names_what_is_away_and_is_well_once_all_is_back(server, health):
    health.set("broker", None)
    health.set("store", "connection refused")
    status, body = healthz(server[0])
    assert (status, body["troubles"]) == (503, {"store": "connection refused"})
    health.set("store", None)
    status, body = healthz(server[0])
    assert (status, body["ok"], body["troubles"]) == (200, True, {})


def test_health_names_the_live_model_and_counts_its_exchanges(server, health):
    health.model("leukoscope 0.1 abc", swapped=False)
    health.model("leukoscope 0.2 def", swapped=True)
    _, body = healthz(server[0])
    assert (body["model"], body["swaps"]) == ("leukoscope 0.2 def", 1)


def test_a_warning_is_shown_and_does_not_make_a_working_worker_ill(server, health):
    health.set("broker", None)
    health.set("store", None)
    health.warn("model", "acgan 0.3 is refused: its card was altered")
    status, body = healthz(server[0])
    assert (status, body["ok"]) == (200, True)
    assert body["warnings"] == {"model": "acgan 0.3 is refused: its card was altered"}
    health.warn("model", None)
    assert healthz(server[0])[1]["warnings"] == {}


def test_an_unknown_path_is_answered_with_those_that_exist(server):
    status, body = get(f"{server[0]}/")
    assert status == 404
    assert "/healthz" in body


def test_metrics_are_what_prometheus_reads_and_name_no_capture_slide_or_device(server):
    base, metrics = server
    metrics.frames.labels("stored").inc()
    metrics.refusals.labels("sha256-mismatch").inc()
    for stage in ("read", "store", "whole"):
        metrics.observe(stage, 0.01)
    metrics.model.info({"name": "acgan", "version": "0.3", "sha256": "a" * 64})
    status, text = get(f"{base}/metrics")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert status == 200
    assert {name.removesuffix("_created") for name in families} == {
        "leukoscope_frames",
        "leukoscope_refusals",
        "leukoscope_frames_in_hand",
        "leukoscope_broker_connected",
        "leukoscope_store_failures",
        "leukoscope_stage_seconds",
        "leukoscope_model_info",
        "leukoscope_model_swaps",
        "leukoscope_model_refusals",
    }
    labels = {label for family in families.values() for s in family.samples for label in s.labels}
    assert labels == {"outcome", "reason", "stage", "le", "name", "version", "sha256"}
    outcomes = {
        s.labels["outcome"]: s.value
        for s in families["leukoscope_frames"].samples
        if s.name.endswith("_total")
    }
    assert outcomes == {"stored": 1, "duplicate": 0, "refused": 0, "unanswered": 0}


def test_a_port_that_is_taken_is_named_with_the_setting_that_moves_it(health):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port} .*set http_host and http_port"):
            serve("127.0.0.1", port, Metrics().registry, health.report)
