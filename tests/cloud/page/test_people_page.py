"""An admin keeps accounts on a page; nobody else does."""

import pytest
from reading_desk import run
from reading_room import PASSWORD, client_of, open_app

from cloud.accounts.audit import Wanted
from cloud.accounts.people import Account
from cloud.page.routes.audit import audit
from cloud.page.routes.enter import enter
from cloud.page.routes.people import people
from cloud.page.routes.worklist import worklist

HTMX = {"HX-Request": "true"}
OIDC = {
    "issuer": "https://id.example",
    "client_id": "leukoscope",
    "page_url": "https://reading.example",
}


@pytest.fixture(autouse=True)
def few_routes(monkeypatch):
    """To make FastAPI routes of all pages anew takes most of a test's time."""
    monkeypatch.setattr("cloud.page.app.ROUTES", (enter, people, audit, worklist))


def noted(room, did):
    return [(line.who, line.account, line.detail) for line in room.audit.lines(Wanted(did=did))]


def all_people(room):
    return {one.name: ("disabled" if one.disabled else one.role) for one in room.accounts.list()}


def test_an_admin_sees_all_accounts_and_that_is_noted(tmp_path):
    async def look():
        async with open_app(tmp_path, "admin") as (room, client):
            page = await client.get("/people")
            assert page.status_code == 200
            for name in ("ada", "grace", "lise", "root"):
                assert f"<strong>{name}</strong>" in page.text
            assert "4 accounts" in page.text
            assert noted(room, "people-viewed") == [("root", "", "")]

    run(look())


@pytest.mark.parametrize("role", ["reader", "lead"])
def test_nobody_else_sees_or_changes_them(tmp_path, role):
    async def look():
        async with open_app(tmp_path, role) as (room, client):
            before = room.accounts.list()
            assert (await client.get("/people")).status_code == 403
            for what in ("add", "role", "password", "subject", "disable", "enable"):
                form = {"name": "grace", "role": "admin", "password": PASSWORD, "subject": "x"}
                answer = await client.post(f"/people/{what}", data=form)
                assert answer.status_code == 403, what
                assert "kept by an admin" in answer.text
            assert room.accounts.list() == before

    run(look())


def test_an_account_is_added_with_its_password(tmp_path):
    async def press():
        async with open_app(tmp_path, "admin") as (room, client):
            form = {"name": " Emmy Noether ", "role": "lead", "password": PASSWORD}
            answer = await client.post("/people/add", data=form, headers=HTMX)
            assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/people")
            assert room.accounts.check_password("Emmy Noether", PASSWORD) == Account(
                "Emmy Noether", "lead"
            )
            added = ("root", "Emmy Noether", "role=lead by=password")
            assert noted(room, "account-added")[-1] == added
            assert "Emmy Noether" in (await client.get("/people")).text

    run(press())


def test_without_scripts_a_form_leads_back_to_the_list(tmp_path):
    async def press():
        async with open_app(tmp_path, "admin") as (_, client):
            answer = await client.post("/people/disable", data={"name": "grace"})
            assert (answer.status_code, answer.headers["Location"]) == (303, "/people")

    run(press())


@pytest.mark.parametrize(
    ("what", "form", "code"),
    [
        ("add", {"name": "ADA", "role": "reader", "password": PASSWORD}, "name-taken"),
        ("add", {"name": "Emmy", "role": "boss", "password": PASSWORD}, "role-unknown"),
        ("add", {"name": "Emmy", "role": "reader", "password": "short"}, "password-unusable"),
        ("add", {"name": "Emmy", "role": "reader"}, "no-way-in"),
        ("add", {"name": "Em\nmy", "role": "reader", "password": PASSWORD}, "name-unusable"),
        ("add", {"name": "Emmy", "role": "reader", "subject": "x"}, "oidc-off"),
        ("subject", {"name": "ada", "subject": "x"}, "oidc-off"),
        ("role", {"name": "nobody", "role": "lead"}, "account-unknown"),
        ("role", {"name": "Root", "role": "reader"}, "own-account"),
        ("disable", {"name": "root"}, "own-account"),
        ("disable", {"name": "nobody"}, "account-unknown"),
        ("password", {"name": "ada", "password": "short"}, "password-unusable"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_code_and_changes_nothing(tmp_path, what, form, code):
    async def press():
        async with open_app(tmp_path, "admin") as (room, client):
            before, lines = room.accounts.list(), room.audit.head().number
            answer = await client.post(f"/people/{what}", data=form, headers=HTMX)
            assert answer.status_code == 409
            assert f'data-code="{code}"' in answer.text
            assert answer.headers["HX-Retarget"] == "#error"
            assert room.accounts.list() == before
            assert room.audit.head().number == lines

    run(press())


def test_who_is_disabled_is_out_at_the_next_request(tmp_path):
    async def press():
        async with open_app(tmp_path, "admin") as (room, client), client_of(room, "ada") as ada:
            assert (await ada.get("/")).status_code == 200
            await client.post("/people/disable", data={"name": "ada"})
            assert (await ada.get("/")).headers["Location"] == "/login"
            await client.post("/people/enable", data={"name": "ada"})
            assert (await ada.get("/")).headers["Location"] == "/login"
            assert all_people(room)["ada"] == "reader"

    run(press())


def test_another_role_signs_out_and_holds_from_then_on(tmp_path):
    async def press():
        async with open_app(tmp_path, "admin") as (room, client), client_of(room, "ada") as ada:
            await client.post("/people/role", data={"name": "ada", "role": "lead"})
            assert (await ada.get("/")).headers["Location"] == "/login"
            async with client_of(room, "ada") as again:
                assert (await again.get("/audit")).status_code == 200
            assert noted(room, "account-role") == [("root", "ada", "role=lead")]

    run(press())


def test_with_a_provider_people_are_let_in_by_their_subject(tmp_path):
    async def press():
        async with open_app(tmp_path, "admin", oidc=OIDC) as (room, client):
            form = {"name": "Emmy", "role": "reader", "subject": " e-7 "}
            assert (await client.post("/people/add", data=form)).status_code == 303
            assert room.accounts.by_oidc(OIDC["issuer"], "e-7") == Account("Emmy", "reader")
            again = await client.post("/people/subject", data={"name": "ada", "subject": "e-7"})
            assert again.status_code == 409
            assert "Another account" in again.text

    run(press())


def test_a_name_with_signs_of_html_is_shown_as_it_is(tmp_path):
    async def press():
        async with open_app(tmp_path, "admin") as (_, client):
            form = {"name": '<b>Emmy</b> & "co"', "role": "reader", "password": PASSWORD}
            assert (await client.post("/people/add", data=form)).status_code == 303
            page = (await client.get("/people")).text
            assert "&lt;b&gt;Emmy&lt;/b&gt; &amp; &#34;co&#34;" in page
            assert "<b>Emmy" not in page

    run(press())
