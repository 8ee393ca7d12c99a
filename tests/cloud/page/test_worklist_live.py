"""The streams, from a real server: an in-process client would wait for their end."""

import json
import time
from contextlib import contextmanager

import httpx
import pytest
from reading_room import put_field, served_room
from slide_results import field_result

from cloud.index.index import SlideKey
from cloud.live.news import Change, TooManyFollowersError


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with served_room(tmp_path_factory.mktemp("room"), stages=False) as room:
        room.do(put_field(room.room, 1, ["ALL", "Normal"], slide="s1"))
        yield room


def client(served, who="ada"):
    cookie = served.cookie(who)
    cookies = {cookie["name"]: cookie["value"]}
    return httpx.Client(base_url=served.address, cookies=cookies, timeout=20)


@contextmanager
def stream(served, path, who="ada"):
    """The stream's events as they come: name and data."""
    with client(served, who) as http, http.stream("GET", path) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def events(lines):
    name, data = "", []
    for line in lines:
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif not line and name:
            yield name, "\n".join(data)
            name, data = "", []


def until(told, wanted, **also):
    """Data of the next event of this name that has these words in it."""
    words = also.get("words", "")
    return next(data for name, data in told if name == wanted and words in data)


def new_slide(served, number, slide, **changes):
    """As the feeder does: into the projection, then told."""
    served.room.index.put([field_result(number, ["AML"] * 9, slide=slide, **changes)])
    served.room.news.tell(Change("home", slide, "fields"))


def test_a_stream_begins_with_the_list_as_it_is(served):
    with stream(served, "/live/worklist") as told:
        first = dict([next(told), next(told)])
    assert set(first) == {"part-ranks", "part-lines"}
    assert "/slides/home/s1" in first["part-lines"]


def test_a_new_slide_comes_without_asking_and_tiles_count_it(served):
    with stream(served, "/live/worklist?rank=0") as told:
        assert "new-1" not in until(told, "part-lines")
        new_slide(served, 10, "new-1")
        ranks, lines = until(told, "part-ranks"), until(told, "part-lines")
    assert "/slides/home/new-1" in lines
    assert "Blasts suspected" in ranks


def test_a_stream_is_of_the_filter_that_the_page_shows(served):
    with stream(served, "/live/worklist?q=other") as told:
        until(told, "part-lines")
        new_slide(served, 20, "not-mine")
        new_slide(served, 21, "other-1")
        lines = until(told, "part-lines", words="other-1")
    assert "not-mine" not in lines


def test_a_flood_of_changes_is_rendered_once_a_second_and_its_last_state_is_told(served):
    with stream(served, "/live/worklist?q=flood") as told:
        until(told, "part-lines")
        begun, renderings = time.monotonic(), 0
        for number in range(25):
            new_slide(served, 100 + number, f"flood-{number:02}")
            time.sleep(0.05)
        for name, data in told:
            renderings += name == "part-lines"
            if "flood-24" in data:
                break
        took = time.monotonic() - begun
    assert renderings <= took + 2  # the clocks are not one


def test_who_reads_a_slide_is_seen_in_the_list_and_by_the_other_reader(served):
    with stream(served, "/live/worklist") as told:
        until(told, "part-lines")
        with stream(served, "/live/slides/home/s1", "grace") as of_grace:
            assert json.loads(until(of_grace, "readers")) == []
            until(told, "part-lines", words="grace reads it now")
            with stream(served, "/live/slides/home/s1", "ada") as of_ada:
                assert json.loads(until(of_ada, "readers")) == ["grace"]
                assert json.loads(until(of_grace, "readers")) == ["ada"]
            assert json.loads(until(of_grace, "readers")) == []


def test_a_slide_s_stream_tells_what_was_done_by_whom(served):
    with stream(served, "/live/slides/home/s1") as told:
        until(told, "readers")
        served.room.news.tell(Change("home", "other", "review", "lise", 9))
        served.room.news.tell(Change("home", "s1", "review", "grace", 3))
        assert json.loads(until(told, "review")) == {"by": "grace", "number": 3}


def test_a_silence_has_its_beat(served):
    with stream(served, "/live/slides/home/s1") as told:
        assert until(told, "beat") == ""


def test_whoever_is_signed_out_is_told_so_and_no_more(served):
    with client(served, "lise") as http:
        cookie = next(iter(http.cookies.jar))
        session = served.room.sessions.of_cookie(cookie.value)
        with http.stream("GET", "/live/worklist") as answer:
            told = events(answer.iter_lines())
            until(told, "part-lines")
            served.room.sessions.leave(session)
            new_slide(served, 30, "after-the-door")
            rest = list(told)
        assert [name for name, _ in rest] == ["stale"]
        again = list(events(http.get("/live/worklist").text.splitlines()))
    assert again == [("stale", "")]


def test_a_slide_that_there_is_not_has_no_stream(served):
    with client(served) as http:
        assert http.get("/live/slides/home/nowhere").json()["reason"] == "slide-unknown"


def test_the_program_says_when_more_pages_are_open_than_it_serves(served, monkeypatch):
    def full(_slide=None):
        raise TooManyFollowersError

    monkeypatch.setattr(served.room.news, "follow", full)
    with client(served) as http:
        answer = http.get("/live/worklist")
    assert (answer.status_code, answer.json()["reason"]) == (503, "too-many-pages")


def test_a_reader_who_leaves_is_gone_from_the_slide(served):
    key = SlideKey("home", "s1")
    with stream(served, "/live/slides/home/s1", "grace") as told:
        until(told, "readers")
        assert served.room.presence.others(key, "") == ["grace"]
    until_s = time.monotonic() + 10
    while served.room.presence.others(key, "") and time.monotonic() < until_s:
        time.sleep(0.05)
    assert served.room.presence.others(key, "") == []
