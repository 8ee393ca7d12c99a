import threading
import time

import pytest
from page_end import Browser, events, page_of, page_settings
from rig import until
from stand_in_desk import CALM, StandInDesk

from edge.page import parts as parts_module
from edge.quality.bands import bands
from imaging.decode import decode

FIRST = {f"part-{name}" for name in parts_module.PARTS} - {"part-error"}
"""What a page is told at first: that there is no refusal is no news."""


@pytest.fixture
def desk(tmp_path):
    return StandInDesk(data_dir=tmp_path)


@pytest.fixture
def server(desk, tmp_path):
    with page_of(desk, page_settings(tmp_path)) as served:
        yield served


class Watcher:
    """An open page's stream, read on a thread."""

    def __init__(self, server):
        self.heard = []
        self.ended = threading.Event()
        self._browser = Browser(server.address)
        self._browser.open()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        with self._browser.http.stream("GET", "/events") as stream:
            self._stream = stream
            for event in events(stream.iter_lines()):
                self.heard.append(event)
        self.ended.set()

    def names(self):
        return [name for name, _ in self.heard]

    def close(self):
        self._thread.join(5)
        self._browser.close()
        assert self.ended.is_set()


@pytest.fixture
def watcher(server):
    opened = Watcher(server)
    yield opened
    server.stop()
    opened.close()


def test_that_there_is_no_refusal_wipes_none_that_the_page_shows_already(desk, watcher):
    until(lambda: len(watcher.heard) >= len(FIRST), 5, "all parts")
    time.sleep(0.3)
    assert "part-error" not in watcher.names()


def test_an_open_page_gets_every_part_and_then_only_what_changed(desk, watcher):
    until(lambda: len(watcher.heard) >= len(FIRST), 5, "all parts")
    assert set(watcher.names()) == FIRST
    before = len(watcher.heard)
    desk.become(slide="s0123456789abcdef0123")
    until(lambda: "part-slide" in watcher.names()[before:], 5, "the slide's part")
    time.sleep(0.3)
    assert "part-lines" not in watcher.names()[before:]
    assert "part-health" not in watcher.names()[before:]
    told = dict(watcher.heard[before:])
    assert "s0123456789abcdef0123" in told["part-slide"]


def test_what_changes_nothing_that_is_seen_is_not_told(desk, watcher):
    until(lambda: len(watcher.heard) >= len(FIRST), 5, "all parts")
    before = len(watcher.heard)
    for _ in range(5):
        desk.become()
        time.sleep(0.05)
    time.sleep(0.3)
    assert set(watcher.names()[before:]) <= {"beat"}


def test_a_silent_station_says_that_it_lives(desk, server, monkeypatch):
    monkeypatch.setattr("edge.page.live.BEAT_S", 0.3)
    watcher = Watcher(server)
    until(lambda: watcher.names().count("beat") >= 2, 5, "two beats")
    server.stop()
    watcher.close()


def test_many_pages_share_one_rendering(desk, server, monkeypatch):
    rendered = []
    render = parts_module.Parts.all

    def counted(self, seen):
        rendered.append(seen.state.version)
        return render(self, seen)

    monkeypatch.setattr(parts_module.Parts, "all", counted)
    watchers = [Watcher(server) for _ in range(8)]
    until(
        lambda: all(len(one.heard) >= len(FIRST) for one in watchers), 10, "all parts at all pages"
    )
    desk.become(slide="s0123456789abcdef0123")
    until(lambda: all("s0123" in str(one.heard) for one in watchers), 5, "the slide everywhere")
    assert rendered.count(desk.state.version) <= 3  # once for its change, once each half second
    server.stop()
    for one in watchers:
        one.close()


def test_stopping_ends_all_streams_at_once(desk, tmp_path):
    with page_of(desk, page_settings(tmp_path)) as served:
        watchers = [Watcher(served) for _ in range(3)]
        until(lambda: all(one.heard for one in watchers), 5, "a first event")
        began = time.monotonic()
    assert time.monotonic() - began < 3
    for one in watchers:
        one.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("page")]


def test_nothing_is_done_while_nobody_looks(desk, server):
    time.sleep(0.3)
    assert desk.pictures == 0
    browser = Browser(server.address)
    browser.open()
    with browser.http.stream("GET", "/preview.mjpeg") as stream:
        pieces = stream.iter_raw()  # kept: letting go of it closes the stream
        next(pieces)
        until(lambda: desk.pictures > 2, 5, "pictures")
    browser.close()
    until(lambda: not [t for t in threading.enumerate() if t.name == "page-eye"], 5, "its end")
    taken = desk.pictures
    time.sleep(0.5)
    assert desk.pictures == taken


def pictures(browser, count):
    """The first pictures of the stream, and the seconds they took."""
    found, data, began = [], b"", time.monotonic()
    with browser.http.stream("GET", "/preview.mjpeg") as stream:
        boundary = b"--" + stream.headers["content-type"].partition("boundary=")[2].encode()
        for piece in stream.iter_raw():
            data += piece
            while data.count(boundary) > 1 and len(found) < count:
                part, _, data = data.removeprefix(boundary).partition(boundary)
                data = boundary + data
                head, _, body = part.partition(b"\r\n\r\n")
                assert b"Content-Type: image/jpeg" in head
                length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
                assert len(body) == length + 2
                found.append(body[:length])
            if len(found) == count:
                break
    return found, time.monotonic() - began


def test_the_preview_shows_pictures_at_its_pace(desk, tmp_path):
    settings = page_settings(tmp_path).model_copy(update={"preview_fps": 20.0})
    with page_of(desk, settings) as served:
        browser = Browser(served.address)
        browser.open()
        found, seconds = pictures(browser, 11)
        browser.close()
    assert decode(found[0]).shape == (480, 640, 3)
    assert len(set(found)) == 11
    assert 0.45 < seconds < 3


def test_two_who_look_share_one_encoder(desk, server):
    browsers = [Browser(server.address) for _ in range(4)]
    for browser in browsers:
        browser.open()
    threads = [threading.Thread(target=pictures, args=(one, 8)) for one in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for browser in browsers:
        browser.close()
    assert desk.pictures < 4 * 8 * 2  # each picture costs one, and one for the hand's guide


def test_without_a_camera_words_stand_in_the_picture_and_it_comes_back(desk, server):
    desk.become(camera_problem="The camera is unplugged.")
    browser = Browser(server.address)
    browser.open()
    (words,), _ = pictures(browser, 1)
    assert decode(words).shape == (480, 640, 3)
    assert browser.http.get("/preview.jpg").content == words
    desk.become(camera_problem="")
    assert browser.http.get("/preview.jpg").content != words
    browser.close()


def test_the_needles_move_while_somebody_looks(desk, server, watcher):
    browser = Browser(server.address)
    browser.open()
    with browser.http.stream("GET", "/preview.mjpeg") as stream:
        pieces = stream.iter_raw()  # kept: letting go of it closes the stream
        next(pieces)
        word = bands(desk.look())[0].word
        until(lambda: word in dict(watcher.heard).get("part-bands", ""), 5, "the needles")
    browser.close()


def test_the_hand_is_guided_only_where_no_stage_turns_the_focus(desk, server):
    eye = server._page.eye
    browser = Browser(server.address)
    browser.open()
    with browser.http.stream("GET", "/preview.mjpeg") as stream:
        pieces = stream.iter_raw()  # kept: letting go of it closes the stream
        next(pieces)
        until(lambda: eye.hint is not None, 5, "a hint")
        desk.become(can=CALM.can.__class__(stage=True))
        until(lambda: eye.hint is None, 5, "no hint")
    browser.close()


def test_a_fault_while_rendering_ends_the_stream_and_is_logged(desk, server, monkeypatch):
    from structlog.testing import capture_logs

    def broken(self, seen):
        raise KeyError("a bug")

    monkeypatch.setattr(parts_module.Parts, "all", broken)
    with capture_logs() as logs:
        watcher = Watcher(server)
        assert watcher.ended.wait(5)
    watcher.close()
    assert "page_stream_failed" in [log["event"] for log in logs]
