import os

import httpx
import pytest
from page_end import PASSWORD, Browser, events, page_of, page_settings
from stand_in_desk import StandInDesk
from structlog.testing import capture_logs

from edge.page.guard.passwords import PasswordBusy, PasswordError, Passwords
from edge.page.guard.sessions import Sessions
from wire.web.attempts import ALLOWED, WINDOW_S, Attempts

CLOSED = ["/", "/api/state", "/preview.jpg", "/preview.mjpeg", f"/frame/{'0' * 8}.jpg", "/nowhere"]
OPEN = ["/login", "/healthz", "/manifest.webmanifest", "/refusals"]


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A page with a password, and its desk."""
    folder = tmp_path_factory.mktemp("locked")
    settings = page_settings(folder)
    Passwords(settings.page_password_file).set(PASSWORD)
    desk = StandInDesk(data_dir=folder)
    with page_of(desk, settings) as server:
        yield desk, server


@pytest.fixture
def server(locked):
    locked[1]._page.attempts._tried.clear()
    return locked[1]


@pytest.fixture
def browser(server):
    """Not signed in."""
    opened = Browser(server.address)
    yield opened
    opened.close()


@pytest.mark.parametrize("path", CLOSED)
def test_without_the_password_nothing_is_to_be_seen(browser, path):
    answer = browser.http.get(path)
    assert answer.status_code == (303 if path == "/" else 401)
    assert "scope-1" not in answer.text


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_says_nothing_of_slides(browser, locked, path):
    locked[0].become(slide="s0123456789abcdef0123")
    answer = browser.http.get(path)
    assert answer.status_code == 200
    assert "s0123456789abcdef0123" not in answer.text


def test_without_the_password_nothing_is_done(browser, locked):
    browser.open("/login")
    answer = browser.press("/capture")
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")
    assert locked[0].asked == []


def test_an_open_page_whose_session_is_over_is_told_so(browser):
    with browser.http.stream("GET", "/events") as stream:
        assert next(events(stream.iter_lines()))[0] == "stale"


def test_the_password_opens_and_signing_out_closes(browser):
    assert browser.sign_in().status_code == 303
    assert browser.http.get("/api/state").status_code == 200
    assert 'action="/logout"' in browser.open().text
    assert browser.http.get("/login").headers["location"] == "/"
    kept = dict(browser.http.cookies)
    assert browser.press("/logout").headers["hx-redirect"] == "/login"
    assert browser.http.get("/api/state").status_code == 401
    assert httpx.get(f"{browser.address}/api/state", cookies=kept).status_code == 401


def test_signing_in_makes_a_new_session(browser):
    browser.open("/login")
    before = dict(browser.http.cookies)
    browser.sign_in()
    assert dict(browser.http.cookies) != before
    assert httpx.get(f"{browser.address}/api/state", cookies=before).status_code == 401


def test_a_wrong_password_is_told_and_logged_without_it(browser):
    with capture_logs() as logs:
        answer = browser.sign_in("open sesame, please")
    assert answer.status_code == 403
    assert "not the station&#39;s password" in answer.text
    assert [log["event"] for log in logs] == ["page_login_refused"]
    assert "sesame" not in str(logs) + answer.text


def test_after_a_few_wrong_ones_even_the_right_one_has_to_wait(browser):
    for _ in range(ALLOWED):
        assert browser.sign_in("open sesame, please").status_code == 403
    answer = browser.sign_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S
    assert "too many tries" in answer.text


def test_the_wait_ends_and_addresses_do_not_wait_for_one_another():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    assert [attempts.wait_s("a") for _ in range(ALLOWED)] == [0.0] * ALLOWED
    assert attempts.wait_s("a") == WINDOW_S
    assert attempts.wait_s("b") == 0.0
    now[0] = WINDOW_S
    assert attempts.wait_s("a") == 0.0


def test_many_addresses_take_no_more_room_than_is_given_to_them():
    attempts = Attempts()
    for number in range(3000):
        attempts.wait_s(f"10.0.{number // 256}.{number % 256}")
    assert len(attempts._tried) <= 1000


def test_a_new_password_signs_everybody_out(browser, locked):
    browser.sign_in()
    passwords = locked[1]._page.passwords
    passwords.set("another seven smears")
    try:
        assert browser.http.get("/api/state").status_code == 401
        assert browser.sign_in().status_code == 403
    finally:
        passwords.set(PASSWORD)


def test_a_session_that_nobody_uses_ends_and_one_that_is_used_does_not():
    now = [0.0]
    sessions = Sessions(60, lambda: "mark", lambda: now[0])
    used, idle = sessions.enter(), sessions.enter()
    now[0] = 50
    sessions.pressed(used)
    now[0] = 100
    assert sessions.may_look(used)
    assert not sessions.may_look(idle)
    now[0] = 111
    assert not sessions.may_look(used)
    sessions.pressed(used)
    assert not sessions.may_look(used)


def test_sessions_take_no_more_room_than_is_given_to_them():
    now = [0.0]
    sessions = Sessions(1e9, lambda: "mark", lambda: now[0])
    entered = []
    for moment in range(300):
        now[0] = moment
        entered.append(sessions.enter())
    assert not sessions.may_look(entered[0])
    assert sessions.may_look(entered[-1])
    assert len(sessions._entered) == 200


def test_streams_end_when_the_session_does(browser):
    browser.sign_in()
    with browser.http.stream("GET", "/preview.mjpeg") as stream:
        pieces = stream.iter_raw()
        next(pieces)
        assert browser.press("/logout").status_code == 204
        assert sum(len(piece) for piece in pieces) < 10**7  # it ends


def test_the_hash_is_private_and_no_password(tmp_path):
    passwords = Passwords(tmp_path / "new folder" / "page.password")
    assert not passwords.is_set
    passwords.set(PASSWORD)
    assert passwords.file.stat().st_mode & 0o777 == 0o600
    assert passwords.file.read_text().startswith("$argon2id$")
    assert passwords.fits(PASSWORD)
    assert not passwords.fits(PASSWORD + "x")
    assert not passwords.fits("")
    assert [file.name for file in passwords.file.parent.iterdir()] == ["page.password"]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another user")
def test_a_password_set_with_sudo_can_be_read_by_whose_folder_it_is(tmp_path):
    os.chown(tmp_path, 1234, 4321)
    passwords = Passwords(tmp_path / "page.password")
    passwords.set(PASSWORD)
    status = passwords.file.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1234, 4321, 0o600)


@pytest.mark.parametrize("password", ["", "too short", "x" * 201])
def test_a_password_of_a_wrong_length_is_refused(tmp_path, password):
    passwords = Passwords(tmp_path / "page.password")
    with pytest.raises(PasswordError, match="10 to 200"):
        passwords.set(password)
    assert not passwords.is_set


def test_a_file_that_is_no_hash_lets_nobody_in_and_says_so(browser, locked):
    file = locked[1]._page.passwords.file
    kept = file.read_text()
    file.write_text("seven stained smears\n")
    try:
        answer = browser.sign_in()
        assert answer.status_code == 409
        assert "cannot read its password file" in answer.text
        assert browser.http.get("/api/state").status_code == 401
    finally:
        file.write_text(kept)


def test_taking_the_password_s_file_away_opens_nothing_to_others(tmp_path):
    settings = page_settings(tmp_path, trusted_proxy="127.0.0.1")
    passwords = Passwords(settings.page_password_file)
    passwords.set(PASSWORD)
    forwarded = {"X-Forwarded-Proto": "https"}
    with page_of(StandInDesk(data_dir=tmp_path), settings) as served:
        passwords.file.unlink()
        answer = httpx.get(f"{served.address}/api/state", headers=forwarded)
    assert answer.status_code == 401


def test_only_so_many_logins_wait_for_one_another(tmp_path):
    passwords = Passwords(tmp_path / "page.password")
    passwords.set(PASSWORD)
    for _ in range(3):
        passwords._hashing._queue.acquire()
    with pytest.raises(PasswordBusy):
        passwords.fits(PASSWORD)
    passwords._hashing._queue.release()
    assert passwords.fits(PASSWORD)
