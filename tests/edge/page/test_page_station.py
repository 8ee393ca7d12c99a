"""The page on a whole station: camera, spool and desk are real, the broker is away."""

import pytest
from page_end import Browser, page_of
from rig import until

from edge.cameras.simulator import SimulatorCamera
from edge.settings import EdgeSettings
from edge.station import open_station
from imaging.decode import decode

NUMBER = "24-001234"


@pytest.fixture
def station(tmp_path):
    settings = EdgeSettings(
        site="home", device="scope-1", data_dir=tmp_path, min_free_mb=0,
        burst=1, broker={"port": 9}, page={"port": 0},
    )  # fmt: skip
    camera = SimulatorCamera(7, "ALL")
    with open_station(settings, camera=camera) as opened, page_of(opened.desk, settings) as server:
        yield opened, server


def test_a_slide_is_begun_captured_and_ended_from_the_page(station, tmp_path):
    opened, server = station
    browser = Browser(server.address)
    assert "start a slide first" in browser.open().text
    refused = browser.press("/capture")
    assert (refused.status_code, "no-slide" in refused.text) == (409, True)
    assert browser.press("/slide/start", accession=NUMBER).status_code == 200
    captured = browser.press("/capture")
    assert captured.status_code == 200, captured.text
    (line,) = [one for one in opened.desk.state.lines if one.saved]
    assert opened.spool.status().waiting == 1
    seen = browser.open().text
    assert line.capture_id in seen
    assert line.slide in seen
    assert decode(browser.http.get(f"/frame/{line.capture_id}.jpg").content).shape[2] == 3
    assert decode(browser.http.get("/preview.jpg").content).shape == (480, 640, 3)
    assert browser.press("/slide/end").status_code == 200
    assert browser.http.get("/api/state").json()["slide"] is None
    browser.close()
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or NUMBER.encode() not in file.read_bytes(), file
    until(lambda: opened.desk.state.broker_problem, 10, "the broker is missed")
    assert NUMBER not in seen
