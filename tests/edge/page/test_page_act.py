import logging

import pytest
from stand_in_desk import KEY, Can, line
from structlog.testing import capture_logs

from edge.desk import Busy
from edge.identity import slide_token
from edge.refusal import CaptureRefused

CANARY = "KANARIENVOGEL-24-001234"
"""Stands for an accession number."""


def test_a_typed_number_opens_a_slide_and_only_its_token_is_seen(browser, desk):
    answer = browser.press("/slide/start", accession=CANARY)
    assert (answer.status_code, answer.text.strip()) == (200, "")
    assert desk.state.slide == slide_token(CANARY, KEY)
    assert desk.state.slide in browser.open().text


def test_every_press_reaches_the_desk_as_the_page_s(browser, desk):
    presses = [
        ("/slide/start", {"accession": "A-1"}, ("start_slide", "page")),
        ("/capture", {}, ("capture", "page", None)),
        ("/capture", {"count": 5}, ("capture", "page", 5)),
        ("/autofocus", {}, ("autofocus", "page")),
        ("/calibrate", {}, ("calibrate", "page")),
        ("/scan/start", {"cells": 200, "resume": "no"}, ("start_scan", "page", 200, False)),
        ("/scan/start", {"cells": 100, "resume": "yes"}, ("start_scan", "page", 100, True)),
        ("/scan/stop", {}, ("stop_scan", "page")),
        ("/slide/end", {}, ("end_slide", "page")),
    ]
    for path, form, asked in presses:
        assert browser.press(path, **form).status_code == 200, path
        assert desk.asked[-1] == asked


def test_a_barcode_in_view_opens_its_slide_without_the_number_coming_here(browser, desk):
    answer = browser.press("/barcode")
    assert (answer.status_code, answer.text.strip()) == (200, "")
    assert desk.state.slide


def test_a_refusal_says_code_sentence_and_remedy_in_the_error(browser):
    answer = browser.press("/capture")
    assert answer.status_code == 409
    assert answer.headers["hx-retarget"] == "#error"
    assert 'data-code="no-slide"' in answer.text
    assert "No slide is open." in answer.text
    assert "Scan or type its number first." in answer.text
    assert 'href="/refusals#no-slide"' in answer.text


def test_a_busy_station_says_so(browser, desk):
    desk.refuses = Busy("scanning")
    answer = browser.press("/calibrate")
    assert answer.status_code == 409
    assert "station-busy" in answer.text


def test_without_htmx_a_refusal_is_a_whole_page(browser):
    answer = browser.press("/capture", {"HX-Request": "false"})
    assert answer.status_code == 409
    assert "<!doctype html>" in answer.text
    assert "no-slide" in answer.text


@pytest.mark.parametrize(
    ("path", "form", "named"),
    [
        ("/slide/start", {}, "accession"),
        ("/slide/start", {"accession": CANARY * 20}, "accession"),
        ("/capture", {"count": CANARY}, "count"),
        ("/capture", {"count": 0}, "count"),
        ("/scan/start", {"cells": -1}, "cells"),
        ("/scan/start", {"cells": "many", "resume": CANARY}, "cells, resume"),
    ],
)
def test_what_is_not_understood_names_the_field_and_repeats_nothing(browser, path, form, named):
    answer = browser.press(path, **form)
    assert answer.status_code == 422
    assert f"what was sent: {named}." in answer.text
    assert CANARY not in answer.text
    assert CANARY not in str(answer.headers)


def test_a_number_that_is_refused_is_not_repeated(browser, desk):
    desk.refuses = CaptureRefused("slide-invalid", "That is no slide number.", "Scan it again.")
    answer = browser.press("/slide/start", accession=CANARY)
    assert answer.status_code == 409
    assert CANARY not in answer.text


def test_a_fault_of_the_program_is_logged_and_told_without_the_number(browser, desk, caplog):
    desk.refuses = ValueError("a bug")
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        answer = browser.press("/slide/start", accession=CANARY)
    assert answer.status_code == 500
    assert "Captures are safe" in answer.text
    (fault,) = (log for log in logs if log["event"] == "page_fault")
    assert fault["route"] == "/slide/start"
    assert CANARY not in str(logs) + caplog.text + answer.text
    desk.refuses = None
    assert browser.press("/slide/start", accession="A-2").status_code == 200


def test_the_number_stands_in_no_log_no_page_and_no_event_of_a_good_day(browser, desk, caplog):
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        answers = [
            browser.press("/slide/start", accession=CANARY),
            browser.press("/capture"),
            browser.open(),
            browser.http.get("/api/state"),
            browser.press("/slide/end"),
        ]
    said = [str(logs), caplog.text, *(one.text + str(one.headers) for one in answers)]
    assert CANARY not in "".join(said)
    assert len(desk.state.lines) == 1


def test_two_presses_at_once_are_both_answered(browser, desk):
    from concurrent.futures import ThreadPoolExecutor

    browser.press("/slide/start", accession="A-1")
    desk.takes_s = 0.2
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: browser.press("/capture"), range(2)))
    assert [one.status_code for one in answers] == [200, 200]
    assert len(desk.state.lines) == 2


def test_the_error_of_another_hand_is_shown_too(browser, desk):
    from datetime import UTC, datetime

    from edge.desk import Refusal

    told = Refusal("too-dark", "It is too dark.", "Turn the lamp up.", datetime.now(UTC), "button")
    desk.become(refusal=told, can=Can(gpio=True), lines=(line(),))
    assert 'data-code="too-dark"' in browser.open().text
