import re
from pathlib import Path

import numpy as np
import pytest
from page_end import Browser, page_of, page_settings
from stand_in_desk import days, eventful, line

from edge.desk import Trouble
from wire.words import RESEARCH_USE_ONLY


def test_the_page_shows_every_part_and_says_what_it_is_not_for(browser, desk):
    desk.begin(eventful().state)
    text = browser.open().text
    assert RESEARCH_USE_ONLY in text
    assert desk.state.slide in text
    for name in ("slide", "capture", "lines", "bands", "health", "scan", "trend", "calibration"):
        assert f'sse-swap="part-{name}"' in text
    assert "The broker does not answer." in text
    assert "preliminary" in text


def test_a_capture_is_shown_with_its_ticks_and_its_suggestion(browser, desk):
    desk.become(lines=(line(sent=True, stored=True, suggestion="ALL", counts={"ALL": 3}),))
    text = browser.open().text
    assert "Suggested pre-classification" in text
    assert "diagnosis" not in text.replace("diagnostic procedures", "")


def test_a_trouble_links_to_its_line_of_the_refusals(browser, desk):
    desk.become(troubles=(Trouble("broker-away", "The broker is away.", "Look at the cable."),))
    assert 'href="/refusals#broker-away"' in browser.open().text


def test_the_page_s_own_refusals_have_every_code_as_an_anchor(browser):
    text = browser.http.get("/refusals").text
    for code in ("too-dark", "disk-full", "payload-too-large", "unknown-command"):
        assert f'<tr id="{code}">' in text
    assert RESEARCH_USE_ONLY in text


def test_every_code_of_the_page_has_its_line_in_the_refusals(browser):
    text = browser.http.get("/refusals").text
    for code in ("request-invalid", "no-such-page", "login-wrong", "login-wait"):
        assert f'<tr id="{code}">' in text


def test_the_state_is_there_for_programs_with_its_notice(browser, desk):
    desk.become(slide="s0123456789abcdef0123", waiting=3)
    told = browser.http.get("/api/state").json()
    assert told["notice"] == RESEARCH_USE_ONLY
    assert (told["slide"], told["waiting"]) == ("s0123456789abcdef0123", 3)


def test_health_tells_no_more_than_whether_things_work(browser, desk):
    assert browser.http.get("/healthz").json() == {"ok": True, "camera": True, "broker": True}
    desk.become(troubles=(Trouble("x", "y", "z"),), camera_problem="gone", broker=False)
    assert browser.http.get("/healthz").json() == {"ok": False, "camera": False, "broker": False}


def test_a_frame_is_shown_and_one_that_is_gone_says_so_in_a_picture(browser, desk):
    taken = line()
    desk.become(lines=(taken,))
    there = browser.http.get(f"/frame/{taken.capture_id}.jpg")
    assert (there.status_code, there.headers["content-type"]) == (200, "image/jpeg")
    assert "private" in there.headers["cache-control"]
    gone = browser.http.get(f"/frame/{line().capture_id}.jpg")
    assert (gone.status_code, gone.headers["content-type"]) == (404, "image/jpeg")
    assert gone.content.startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", ["../settings.py", "%2e%2e/settings.py", "nothing.js", "a%00b"])
def test_only_what_lies_in_static_is_served(browser, name):
    assert browser.http.get(f"/static/{name}").status_code == 404


def test_static_files_are_kept_by_browsers_under_their_digest_and_asked_for_without(browser):
    url = re.search(r'src="(/static/[0-9a-f]{16}/[\w./-]+\.js)"', browser.open().text)[1]
    kept = browser.http.get(url)
    assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
    assert "javascript" in kept.headers["content-type"]
    plain = browser.http.get("/static/" + url.split("/", 3)[3])
    assert (plain.status_code, plain.headers["cache-control"]) == (200, "no-cache")
    again = {"If-None-Match": plain.headers["etag"]}
    assert browser.http.get("/static/" + url.split("/", 3)[3], headers=again).status_code == 304


def test_nothing_on_the_page_comes_from_elsewhere(browser):
    for url in re.findall(r'(?:src|href)="([^"]+)"', browser.open().text):
        assert url.startswith(("/", "#")), url
        if url.startswith("/static/"):
            assert browser.http.get(url).status_code == 200, url


def test_the_manifest_names_icons_that_are_there(browser):
    told = browser.http.get("/manifest.webmanifest")
    assert told.headers["content-type"].startswith("application/manifest+json")
    assert told.json()["start_url"] == "/"
    for icon in told.json()["icons"]:
        assert browser.http.get(icon["src"]).status_code == 200


def test_a_qr_code_says_where_a_phone_reads_more(desk, tmp_path):
    zxingcpp = pytest.importorskip("zxingcpp")
    settings = page_settings(tmp_path, docs_url="https://docs.example/leukoscope/")
    with page_of(desk, settings) as served:
        browser = Browser(served.address)
        svg = browser.http.get("/qr/too-dark.svg")
        assert svg.headers["content-type"] == "image/svg+xml"
        browser.open()
        told = browser.press("/capture").text
        browser.close()
    assert "https://docs.example/leukoscope/refusals.html#no-slide" in told
    assert "<svg" in told
    assert "style=" not in told
    (read,) = zxingcpp.read_barcodes(drawn(svg.text))
    assert read.text == "https://docs.example/leukoscope/refusals.html#too-dark"


def drawn(svg):
    """The QR code as a camera sees it: dark runs (`h`) from a pen that is moved (`M`, `m`)."""
    side = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    picture = np.full((side, side), 255, np.uint8)
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", svg.rpartition(' d="')[2]):
        by = [float(number) for number in numbers.split()]
        if command == "M":
            x, y = by
        elif command == "m":
            x, y = x + by[0], y + by[1]
        else:
            picture[int(y), int(x) : int(x + by[0])] = 0
            x += by[0]
    return np.kron(picture, np.ones((8, 8), np.uint8))


def test_where_no_phone_could_open_it_there_is_no_qr_code(browser):
    assert browser.http.get("/qr/too-dark.svg").status_code == 404
    assert 'class="qr"' not in browser.press("/capture").text


def test_the_trend_of_days_is_on_the_page(browser, desk):
    days(desk.trend)
    desk.become(lines=(line(),))
    assert re.search(r"Brightness over \d+ days", browser.open().text)


def test_a_page_that_is_not_there_is_an_error_with_a_way_back(browser):
    answer = browser.http.get("/nowhere")
    assert answer.status_code == 404
    assert "no-such-page" in answer.text
    assert 'href="/"' in answer.text
    assert "nowhere" not in answer.text


def test_every_code_can_be_linked_to_in_the_handbook_and_stands_there_once():
    text = (Path(__file__).parents[3] / "docs" / "refusals.md").read_text()
    codes = re.findall(r"^\| `([a-z0-9-]+)`", text, re.M)
    anchors = re.findall(r"^\| `[a-z0-9-]+`\{ #([a-z0-9-]+) \} \|", text, re.M)
    assert anchors == codes
    assert len(set(codes)) == len(codes)
