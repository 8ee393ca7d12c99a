"""Nobody comes in who is not signed in, and nothing is done by a foreign page's hand."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from reading_desk import run
from reading_room import BASE, client_of, open_app
from room_routes import paths

from cloud.page.guard.entrance import cookie_name
from cloud.page.guard.guards import MAX_BYTES

OPEN = {
    "/login", "/healthz", "/metrics", "/refusals", "/static/tokens.css", "/manifest.webmanifest",
    "/sw.js", "/oidc/login", "/oidc/callback", "/offline",
}  # fmt: skip
"""Paths that may say something to somebody who is not signed in; nothing of a slide."""


def test_without_a_session_nothing_is_to_be_seen(tmp_path):
    async def look():
        async with open_app(tmp_path, None) as (room, client):
            for path in set(paths(room, "GET")) - OPEN:
                answer = await client.get(path)
                if path.startswith("/live/"):
                    assert answer.text == "event: stale\ndata: \n\n", path
                elif not path.startswith(("/static/", "/oidc/")):
                    assert answer.status_code in (303, 401), path
                    assert "s1" not in answer.text, path

    run(look())


def test_without_a_session_nothing_is_done(tmp_path):
    async def press():
        async with open_app(tmp_path, None) as (room, client):
            for path in paths(room, "POST"):
                answer = await client.post(path, data={"csrf": "x"})
                assert answer.status_code in (303, 401, 403), path
            assert (await room.desk.load("home", "s1")).entries == []

    run(press())


def test_what_is_open_says_nothing_of_slides(tmp_path):
    async def look():
        async with open_app(tmp_path, None) as (_, client):
            for path in ("/login", "/healthz", "/metrics", "/refusals"):
                answer = await client.get(path)
                assert answer.status_code == 200
                assert "home/s1" not in answer.text

    run(look())


def test_nothing_is_changed_without_the_page_s_own_token(tmp_path):
    async def press():
        async with open_app(tmp_path) as (room, client):
            for token in ("", "x", room.sessions.csrf("another session")):
                for path in paths(room, "POST"):
                    answer = await client.post(path, headers={"X-CSRF-Token": token})
                    assert answer.status_code == 403, path
                    assert "earlier session" in answer.text, path
            assert (await room.desk.load("home", "s1")).entries == []

    run(press())


def test_htmx_is_told_to_load_the_page_again_where_its_token_is_old(tmp_path):
    async def press():
        async with open_app(tmp_path) as (_, client):
            sent = {"X-CSRF-Token": "old", "HX-Request": "true"}
            answer = await client.post("/logout", headers=sent)
            assert (answer.status_code, answer.headers["hx-refresh"]) == (403, "true")

    run(press())


def test_a_forged_cookie_is_no_session(tmp_path):
    async def look():
        async with open_app(tmp_path, None) as (room, client):
            name = cookie_name(room.settings.page)
            for forged in ("x", "abc." + "x" * 43, room.sessions.new(), '"; ='):
                answer = await client.get("/", headers={"Cookie": f"{name}={forged}"})
                assert answer.status_code == 303

    run(look())


def test_a_foreign_page_s_press_is_refused(tmp_path):
    foreign = ("http://evil.example", "null", "https://127.0.0.1:8740", "http://127.0.0.1:1")

    async def press():
        async with open_app(tmp_path) as (_, client):
            for origin in foreign:
                answer = await client.post("/logout", headers={"Origin": origin})
                assert answer.status_code == 403, origin
            assert (await client.get("/")).status_code == 200  # still signed in

    run(press())


def test_a_name_that_is_not_the_room_s_is_refused(tmp_path):
    """DNS rebinding: a foreign name that was turned to 127.0.0.1."""

    async def look():
        async with open_app(tmp_path) as (_, client):
            for host in ("evil.example", "127.0.0.1.evil.example", "", "a b"):
                answer = await client.get("/healthz", headers={"Host": host})
                assert answer.status_code == 421, host
                assert "page.names" in answer.text

    run(look())


def test_a_session_that_nobody_uses_ends_and_one_that_is_used_does_not(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            now = [datetime.now(UTC)]
            room.sessions._clock = lambda: now[0]
            for _ in range(3):
                now[0] += timedelta(minutes=29)
                assert (await client.get("/")).status_code == 200
            now[0] += timedelta(minutes=31)
            answer = await client.get("/")
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")

    run(look())


def test_what_an_open_page_fetches_by_itself_keeps_no_session_alive(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            now = [datetime.now(UTC)]
            room.sessions._clock = lambda: now[0]
            by_itself = {"Sec-Fetch-Mode": "cors", "Accept": "application/json"}
            for _ in range(2):
                now[0] += timedelta(minutes=20)
                answer = await client.get("/api/worklist", headers=by_itself)
            assert answer.status_code == 401

    run(look())


def test_a_disabled_account_is_out_at_once(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            assert (await client.get("/")).status_code == 200
            room.accounts.disable("ada")
            assert (await client.get("/")).status_code == 303

    run(look())


def test_every_answer_carries_the_headers_that_bind_the_browser(tmp_path):
    async def look():
        async with open_app(tmp_path) as (_, client):
            answers = [await client.get(path) for path in ("/", "/nowhere", "/api/worklist")]
            answers.append(await client.post("/logout", headers={"Origin": "null"}))
            for answer in answers:
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["x-frame-options"] == "DENY"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["cache-control"] == "no-store"

    run(look())


def test_pages_have_nothing_that_their_policy_forbids(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            pages = [await client.get(path) for path in set(paths(room, "GET"))
                     if not path.startswith(("/live/", "/oidc/", "/login"))
                     and not path.endswith(".pdf")]  # fmt: skip
            pages = [page.text for page in pages if "text/html" in page.headers["content-type"]]
            assert len(pages) > 2
            for text in pages:
                assert "style=" not in text
                assert "<style" not in text
                assert " onclick=" not in text
                assert all("src=" in part.split(">")[0] for part in text.split("<script")[1:])

    run(look())


def test_every_page_says_research_use_only(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            said = set()
            for path in set(paths(room, "GET")):
                if path.startswith(("/live/", "/oidc/")) or path.endswith(".pdf"):
                    continue
                answer = await client.get(path, follow_redirects=True)
                if answer.text.startswith("<!doctype html>"):
                    assert "Research use only" in answer.text, path
                    said.add(path)
            assert {"/", "/slides/home/s1", "/refusals", "/offline"} <= said

    run(look())


def test_a_body_that_is_too_large_is_refused(tmp_path):
    async def press():
        async with open_app(tmp_path) as (_, client):
            answer = await client.post("/logout", content=b"x" * (MAX_BYTES + 1))
            assert answer.status_code == 413

    run(press())


def test_a_nul_is_refused_wherever_it_stands(tmp_path):
    """PostgreSQL takes none: what passes here would fail there."""

    async def ask():
        async with open_app(tmp_path) as (room, client):
            for path in ("/slides/home/s%001", "/audit?slide=%00", "/login?next=/%00"):
                assert (await client.get(path)).status_code == 400, path
            for sent in ({"data": {"text": "a\0b"}}, {"json": {"endpoint": "a\0b"}}):
                answer = await client.post("/slides/home/s1/comment", **sent)
                assert answer.status_code == 400, sent
            assert (await room.desk.load("home", "s1")).entries == []

    run(ask())


def test_the_cookie_is_for_this_page_alone(tmp_path):
    async def look():
        async with open_app(tmp_path, None) as (_, client):
            said = (await client.get("/login")).headers["set-cookie"]
            for part in ("leukoscope-room-8740=", "Path=/", "HttpOnly", "SameSite=Lax"):
                assert part in said

    run(look())


def test_behind_a_proxy_with_tls_the_cookie_is_bound_to_this_host(tmp_path):
    async def look():
        page = {"trusted_proxy": "127.0.0.1"}
        async with open_app(tmp_path, None, page=page) as (room, _):
            secure = BASE.replace("http:", "https:")
            async with client_of(room, None, base_url=secure) as client:
                said = (await client.get("/login")).headers["set-cookie"]
            assert said.startswith("__Host-leukoscope-room=")
            assert "Secure" in said
            async with client_of(room) as around:
                assert (await around.get("/login")).status_code == 403

    run(look())


def test_a_database_of_accounts_that_is_away_is_told_and_lets_nobody_in(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            with room.database.writing() as connection:
                connection.execute(sa.text("ALTER TABLE sessions RENAME TO gone"))
            for path in ("/", "/api/worklist", "/live/worklist"):
                answer = await client.get(path)
                assert answer.status_code == 503, path
                assert "nothing was shown or done" in answer.text
            assert (await client.get("/static/room.css")).status_code == 200
            with room.database.writing() as connection:
                connection.execute(sa.text("ALTER TABLE gone RENAME TO sessions"))
            assert (await client.get("/")).status_code == 200

    run(look())
