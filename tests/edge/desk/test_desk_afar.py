"""Nobody far away exchanges the slide under the lens."""

import json

import pytest
from desks import desk_at, desk_settings

from edge.refusal import CaptureRefused

HERE, AFAR = "s0123456789abcdef0123", "sfffffffffffffffffff0"


@pytest.fixture
def settings(tmp_path):
    return desk_settings(tmp_path / "station")


@pytest.fixture
def desk(settings):
    with desk_at(settings) as opened:
        yield opened


def reason(act):
    with pytest.raises(CaptureRefused) as refused:
        act()
    return refused.value.reason


@pytest.mark.parametrize("by", ["page", "button"])
def test_a_slide_begun_at_the_station_is_ended_at_the_station_only(desk, by):
    desk.start_token(HERE, by)
    assert reason(lambda: desk.end_slide("remote", slide=HERE)) == "slide-begun-here"
    assert reason(lambda: desk.start_token(AFAR, "remote")) == "another-slide"
    assert desk.state.slide == HERE
    desk.end_slide("page")
    assert desk.state.slide is None


def test_a_slide_begun_from_afar_is_ended_from_afar(desk):
    desk.start_token(AFAR, "remote")
    desk.end_slide("remote", slide=AFAR)
    assert desk.state.slide is None


def test_the_technician_takes_a_slide_over_by_beginning_it_too(desk):
    desk.start_token(AFAR, "remote")
    since = desk.state.slide_since
    desk.start_token(AFAR, "page")
    assert (desk.state.slide, desk.state.slide_since) == (AFAR, since)
    assert reason(lambda: desk.end_slide("remote", slide=AFAR)) == "slide-begun-here"


def test_to_begin_the_technician_s_slide_from_afar_does_not_take_it_over(desk):
    desk.start_token(HERE, "page")
    desk.start_token(HERE, "remote")
    assert reason(lambda: desk.end_slide("remote", slide=HERE)) == "slide-begun-here"


def test_the_technician_may_end_and_exchange_what_was_begun_from_afar(desk):
    desk.start_token(AFAR, "remote")
    desk.start_token(HERE, "page")
    assert desk.state.slide == HERE


@pytest.mark.parametrize(("by", "ended"), [("page", False), ("remote", True)])
def test_who_began_the_slide_is_known_after_a_restart(settings, by, ended):
    with desk_at(settings) as desk:
        desk.start_token(HERE, by)
    with desk_at(settings) as desk:
        if ended:
            desk.end_slide("remote", slide=HERE)
        else:
            assert reason(lambda: desk.end_slide("remote", slide=HERE)) == "slide-begun-here"


def test_a_slide_noted_by_an_earlier_version_is_open_and_the_station_s(settings):
    with desk_at(settings) as desk:
        desk.start_token(AFAR, "remote")
        since = desk.state.slide_since
    note = settings.data_dir / "slide.json"
    kept = json.loads(note.read_bytes())
    assert kept.pop("by") == "remote"
    note.write_text(json.dumps(kept))
    with desk_at(settings) as desk:
        assert (desk.state.slide, desk.state.slide_since) == (AFAR, since)
        assert reason(lambda: desk.end_slide("remote", slide=AFAR)) == "slide-begun-here"


def test_a_slide_that_the_technician_begins_just_before_an_order_stays(desk, monkeypatch):
    """The order found no slide open; between that and its turn the technician begins one."""
    idle, begun = desk._once.idle, []

    def late():
        if not begun:
            begun.append(HERE)
            desk.start_token(HERE, "page")
        return idle()

    monkeypatch.setattr(desk._once, "idle", late)
    assert reason(lambda: desk.start_token(AFAR, "remote")) == "another-slide"
    assert desk.state.slide == HERE
