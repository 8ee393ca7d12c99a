"""`leukoscope-edge doctor` as a person calls it."""

import json

import pytest
from brokers import free_port, mosquitto
from edge_program import edge

from edge.doctor import examine

CHECKS = {
    "settings", "camera", "stage", "button and light", "disk", "clock", "broker", "certificate",
    "page", "spool", "slide key", "commands",
}  # fmt: skip


@pytest.fixture
def station(tmp_path):
    return {
        "site": "home",
        "device": "scope-1",
        "data_dir": tmp_path / "station",
        "broker__port": free_port(),
        "page__port": free_port(),
        "min_free_mb": 0,
    }


def test_a_station_that_can_work_ends_with_0_and_nothing_is_left_behind(tmp_path, station):
    with mosquitto(tmp_path) as broker:
        ended = edge("doctor", "--json", **(station | {"broker__port": broker.port}))
    assert ended.returncode == 0, ended.stdout
    report = json.loads(ended.stdout)
    assert report["ok"]
    assert report["notice"].startswith("Research use only")
    assert {finding["check"] for finding in report["findings"]} == CHECKS
    for finding in report["findings"]:
        assert finding["found"]
        assert bool(finding["remedy"]) == (finding["state"] != "ok"), finding
    assert not (tmp_path / "station").exists()


def test_a_broker_that_is_away_ends_with_1_and_the_table_says_what_to_do(station):
    ended = edge("doctor", **station)
    assert ended.returncode == 1
    assert "✗ wrong" in ended.stdout
    assert "no broker answers" in ended.stdout
    assert "Research use only" in ended.stdout


def test_wrong_settings_are_the_only_finding(station):
    ended = edge("doctor", "--json", **(station | {"site": "a/b"}))
    assert ended.returncode == 1
    (finding,) = json.loads(ended.stdout)["findings"]
    assert (finding["check"], finding["state"]) == ("settings", "wrong")
    assert "site" in finding["found"]


def test_a_check_that_fails_itself_stops_none_of_the_others(monkeypatch, station):
    for name, value in station.items():
        monkeypatch.setenv(f"LEUKOSCOPE_EDGE_{name.upper()}", str(value))

    def fails(_settings):
        raise ZeroDivisionError("a fault of the doctor")

    monkeypatch.setattr(examine.machine, "disk", fails)
    found = {finding.check: finding for finding in examine.examine()}
    assert set(found) == CHECKS
    assert found["disk"].state == "wrong"
    assert "ZeroDivisionError" in found["disk"].found
