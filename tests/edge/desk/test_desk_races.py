"""Whoever changes the slide and whoever presses at one moment: no capture goes to a wrong slide."""

import threading

import pytest
from desks import desk_at, desk_settings

from edge.refusal import CaptureRefused

FIRST, SECOND = "s0123456789abcdef0123", "sfffffffffffffffffff0"


@pytest.fixture
def settings(tmp_path):
    return desk_settings(tmp_path / "station")


def test_a_slide_begun_just_before_a_press_gets_its_capture(settings, monkeypatch):
    """Whichever comes first, a capture is of the slide that is open while it is taken."""
    with desk_at(settings) as desk:
        desk.start_token(FIRST, "page")
        take, begun = desk._once.take, []

        def late(activity):
            if activity == "capturing" and not begun:
                begun.append(desk.start_token(SECOND, "page"))  # between the press and the picture
            take(activity)

        monkeypatch.setattr(desk._once, "take", late)
        assert desk.capture("button").slide == SECOND == desk.state.slide


def test_no_picture_is_begun_while_a_slide_changes(settings, monkeypatch):
    with desk_at(settings) as desk:
        desk.start_token(FIRST, "page")
        changing, changed = threading.Event(), threading.Event()
        begin = desk._slides._session.begin

        def slow(token, by):
            changing.set()
            changed.wait(5)
            return begin(token, by)

        monkeypatch.setattr(desk._slides._session, "begin", slow)
        change = threading.Thread(target=desk.start_token, args=(SECOND, "page"))
        change.start()
        assert changing.wait(5)
        lines = []
        press = threading.Thread(target=lambda: lines.append(desk.capture("button")))
        press.start()
        press.join(0.2)
        assert press.is_alive()
        changed.set()
        change.join()
        press.join()
        assert lines[0].slide == SECOND


def test_a_remote_capture_meant_for_a_slide_is_taken_of_no_other(tmp_path):
    with desk_at(desk_settings(tmp_path / "station"), stage=True) as desk:
        desk.start_token(SECOND, "page")
        for ask in (
            lambda: desk.capture("remote", slide=FIRST),
            lambda: desk.start_scan("remote", 10, slide=FIRST),
            lambda: desk.end_slide("remote", slide=FIRST),
        ):
            with pytest.raises(CaptureRefused) as refused:
                ask()
            assert refused.value.reason == "another-slide"
        assert desk.state.lines == ()
        assert desk.state.slide == SECOND
        with pytest.raises(CaptureRefused) as refused:
            desk.start_token(FIRST, "remote")
        assert refused.value.reason == "another-slide"
        assert desk.state.slide == SECOND
        assert desk.capture("remote", slide=SECOND).slide == SECOND
