"""Accounts and the audit log are for those who keep them."""

from reading_desk import run
from reading_room import client_of, open_app
from room_routes import paths


def test_only_admins_keep_accounts_and_only_overseers_read_the_log(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, _):
            expected = {
                "ada": {"/people": 403, "/audit": 403},
                "lise": {"/people": 403, "/audit": 200},
                "root": {"/people": 200, "/audit": 200},
            }
            served = set(paths(room, "GET"))
            for name, answers in expected.items():
                async with client_of(room, name) as client:
                    for path, status in answers.items():
                        assert path in served
                        assert (await client.get(path)).status_code == status, (name, path)

    run(look())
