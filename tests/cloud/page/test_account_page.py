"""Somebody changes the own password, which an admin gave them first."""

import pytest
from reading_desk import run
from reading_room import PASSWORD, client_of, open_app

from cloud.accounts.audit import Wanted
from cloud.page.routes.account import account
from cloud.page.routes.enter import enter
from cloud.page.routes.worklist import worklist

HTMX = {"HX-Request": "true"}
NEW = "another seven smears"


@pytest.fixture(autouse=True)
def few_routes(monkeypatch):
    """To make FastAPI routes of all pages anew takes most of a test's time."""
    monkeypatch.setattr("cloud.page.app.ROUTES", (enter, account, worklist))


def form(old=PASSWORD, new=NEW, again=NEW):
    return {"old": old, "new": new, "again": again}


def test_a_new_password_signs_out_every_browser_but_this_one(tmp_path):
    async def press():
        async with open_app(tmp_path, None) as (room, _):
            room.accounts.set_password("ada", PASSWORD)
            async with client_of(room, "ada") as here, client_of(room, "ada") as elsewhere:
                answer = await here.post("/account/password", data=form(), headers=HTMX)
                assert answer.headers["HX-Redirect"] == "/account?changed=1"
                assert "The password is changed" in (await here.get("/account?changed=1")).text
                assert (await elsewhere.get("/")).headers["Location"] == "/login"
            assert room.accounts.check_password("ada", NEW)
            assert not room.accounts.check_password("ada", PASSWORD)
            *_, line = room.audit.lines(Wanted(did="account-password"))
            assert (line.who, line.account) == ("ada", "ada")

    run(press())


@pytest.mark.parametrize(
    ("typed", "code", "status"),
    [
        (form(old="not the password"), "password-wrong", 403),
        (form(again="something else"), "passwords-differ", 409),
        (form(new="short", again="short"), "password-unusable", 409),
    ],
)
def test_what_cannot_be_done_is_told_and_the_old_password_stays(tmp_path, typed, code, status):
    async def press():
        async with open_app(tmp_path, None) as (room, _):
            room.accounts.set_password("ada", PASSWORD)
            async with client_of(room, "ada") as ada:
                answer = await ada.post("/account/password", data=typed, headers=HTMX)
                assert answer.status_code == status
                assert f'data-code="{code}"' in answer.text
                assert (await ada.get("/account")).status_code == 200  # still signed in
            assert room.accounts.check_password("ada", PASSWORD)

    run(press())


def test_guessing_at_an_open_screen_is_noted_and_soon_has_to_wait(tmp_path):
    async def press():
        async with open_app(tmp_path, None) as (room, _):
            room.accounts.set_password("ada", PASSWORD)
            async with client_of(room, "ada") as ada:
                tries = [
                    (await ada.post("/account/password", data=form(old="a guess"))).status_code
                    for _ in range(6)
                ]
                assert tries == [403] * 5 + [429]
            assert len(list(room.audit.lines(Wanted(did="password-refused")))) == 5

    run(press())


def test_who_signs_in_elsewhere_has_no_password_here_to_change(tmp_path):
    async def look():
        async with open_app(tmp_path) as (_, ada):
            page = await ada.get("/account")
            assert "single sign-on" in page.text
            answer = await ada.post("/account/password", data=form(), headers=HTMX)
            assert answer.status_code == 403

    run(look())


def test_addresses_that_go_on_trying_do_not_fill_the_log(tmp_path):
    async def press():
        async with open_app(tmp_path, None) as (room, client):
            page = await client.get("/login")
            token = page.text.split('name="csrf" value="')[1].split('"')[0]
            for n in range(30):
                typed = {"name": f"nobody {n}", "password": "a guess", "csrf": token}
                await client.post("/login", data=typed)
            assert len(list(room.audit.lines(Wanted(did="login-refused")))) == 20
            assert len(list(room.audit.lines(Wanted(did="login-wait")))) == 1

    run(press())
