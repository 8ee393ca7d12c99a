"""The way in: by name and password, noted, and slow for whoever guesses."""

import re

from reading_desk import run
from reading_room import PASSWORD, client_of, open_app
from structlog.testing import capture_logs

from cloud.accounts.audit import Wanted
from cloud.page.logins import BY_ADDRESS, BY_NAME

TYPED = "my secret typed into the wrong field"


async def sign_in(client, name="ada", password=PASSWORD, **more):
    page = await client.get("/login")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    form = {"name": name, "password": password, "csrf": csrf} | more
    return await client.post("/login", data=form)


def with_passwords(room):
    for name in ("ada", "root"):
        room.accounts.set_password(name, PASSWORD)


def noted(room):
    """Without the lines of the accounts' own making."""
    lines = (line for line in room.audit.lines(Wanted()) if not line.did.startswith("account-"))
    return [(line.who, line.did, line.account) for line in lines]


def test_name_and_password_open_and_signing_out_closes(tmp_path):
    async def come_and_go():
        async with open_app(tmp_path, None) as (room, client):
            with_passwords(room)
            answer = await sign_in(client)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            page = await client.get("/")
            assert page.status_code == 200
            csrf = re.search(r'X-CSRF-Token": "([^"]+)"', page.text)[1]
            answer = await client.post("/logout", data={"csrf": csrf})
            assert answer.headers["location"] == "/login"
            assert (await client.get("/")).status_code == 303
            came_and_went = [(who, did) for who, did, _ in noted(room) if did.startswith("log")]
            assert came_and_went == [("ada", "login"), ("ada", "logout")]

    run(come_and_go())


def test_signing_in_makes_a_new_session(tmp_path):
    async def come():
        async with open_app(tmp_path, None) as (room, client):
            with_passwords(room)
            before = (await client.get("/login")).cookies
            after = (await sign_in(client)).cookies
            assert dict(before).keys() == dict(after).keys()
            assert dict(before) != dict(after)

    run(come())


def test_an_admin_is_led_to_the_people(tmp_path):
    async def come():
        async with open_app(tmp_path, None) as (room, client):
            with_passwords(room)
            assert (await sign_in(client, "root")).headers["location"] == "/people"

    run(come())


def test_after_signing_in_one_is_where_one_wanted_to_be(tmp_path):
    async def come():
        async with open_app(tmp_path, None) as (room, client):
            with_passwords(room)
            answer = await client.get("/slides/home/s1")
            assert answer.headers["location"] == "/login?next=/slides/home/s1"
            page = await client.get(answer.headers["location"])
            assert 'name="next" value="/slides/home/s1"' in page.text
            answer = await sign_in(client, next="/slides/home/s1")
            assert answer.headers["location"] == "/slides/home/s1"

    run(come())


def test_signing_in_leads_to_no_foreign_page(tmp_path):
    elsewhere = (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/x\r\nSet-Cookie: a=b",
    )

    async def come():
        async with open_app(tmp_path, None) as (room, _):
            with_passwords(room)
            for foreign in elsewhere:
                async with client_of(room) as anew:
                    answer = await sign_in(anew, next=foreign)
                assert answer.headers["location"] == "/", foreign

    run(come())


def test_a_wrong_password_is_told_and_noted_without_what_was_typed(tmp_path):
    async def come():
        async with open_app(tmp_path, None) as (room, client):
            with_passwords(room)
            with capture_logs() as logs:
                answers = [
                    await sign_in(client, "Ada", "not the right one"),
                    await sign_in(client, TYPED, "not the right one"),
                ]
            for answer in answers:
                assert answer.status_code == 403
                assert "login-wrong" not in answer.text.split("<main")[0]
                assert "do not belong together" in answer.text
            refused = [line for line in noted(room) if line[1] == "login-refused"]
            assert refused == [("", "login-refused", "ada"), ("", "login-refused", "")]
            everything = repr(logs) + repr(list(room.audit.lines(Wanted())))
            assert TYPED not in everything
            assert "not the right one" not in everything

    run(come())


def test_a_name_that_is_guessed_at_has_to_wait_from_wherever(tmp_path):
    async def guess():
        async with open_app(tmp_path, None) as (room, client):
            with_passwords(room)
            for _ in range(BY_NAME):
                assert (await sign_in(client, "ada", "guessed it?")).status_code == 403
            answer = await sign_in(client, "ADA")  # the right one, by now too late
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
            assert (await sign_in(client, "root")).status_code == 303

    run(guess())


def test_an_address_that_tries_many_names_has_to_wait(tmp_path):
    async def guess():
        async with open_app(tmp_path, None) as (room, client):
            with_passwords(room)
            for number in range(BY_ADDRESS):
                answer = await sign_in(client, f"name {number}", "guessed it?")
                assert answer.status_code == 403
            assert (await sign_in(client, "root")).status_code == 429

    run(guess())


def test_who_is_signed_in_is_not_asked_again(tmp_path):
    async def come():
        async with open_app(tmp_path) as (room, client):
            assert (await client.get("/login")).headers["location"] == "/"
            async with client_of(room, "root") as admin:
                assert (await admin.get("/login")).headers["location"] == "/people"

    run(come())
