"""What each role opens: readers read, leads oversee them, admins keep accounts and see no slide."""

from reading_desk import run
from reading_room import open_app
from room_routes import paths

from cloud.accounts.audit import Wanted

OF_SLIDES = ("/slides/", "/pictures/", "/live/", "/api/")


def test_an_admin_opens_no_slide_and_the_try_is_noted(tmp_path):
    async def look():
        async with open_app(tmp_path, "admin") as (room, client):
            tried = [path for path in paths(room, "GET") if path.startswith(OF_SLIDES)]
            for path in tried:
                answer = await client.get(path)
                assert answer.status_code == 403, path
            refused = list(room.audit.lines(Wanted(did="access-refused")))
            assert len(refused) == len(tried)
            assert {line.who for line in refused} == {"root"}

    run(look())


def test_an_admin_changes_nothing_of_a_slide(tmp_path):
    async def press():
        async with open_app(tmp_path, "admin") as (room, client):
            for path in paths(room, "POST"):
                if path.startswith("/slides/"):
                    assert (await client.post(path)).status_code == 403, path
            assert (await room.desk.load("home", "s1")).entries == []

    run(press())


def test_a_role_that_forbids_says_so_in_a_sentence(tmp_path):
    async def look():
        async with open_app(tmp_path, "admin") as (_, client):
            page = await client.get("/slides/home/s1")
            assert "Slides are for readers. You are signed in as root, admin." in page.text
            told = (await client.get("/api/worklist")).json()
            assert told["reason"] == "role-forbids"
            assert told["remedy"]

    run(look())
