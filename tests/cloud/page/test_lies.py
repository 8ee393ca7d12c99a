"""Somebody writes into the projection's database: nobody signs what they were not shown."""

import sqlalchemy as sa
from reading_desk import run
from reading_room import open_app

from cloud.index.tables import cells
from cloud.reviews.desk import Case


async def sign(room, client):
    told = (await client.get("/api/slides/home/s1")).json()
    form = {"number": told["number"], "shown": told["shown"]}
    return told, await client.post("/slides/home/s1/sign", data=form)


def test_other_figures_than_those_that_are_stored_are_not_signed_and_then_shown(tmp_path):
    async def check():
        async with open_app(tmp_path, labels=[["Normal", "Normal", "Normal"]]) as (room, client):
            with room.index.engine.begin() as connection:
                connection.execute(sa.update(cells).where(cells.c.n == 0).values(label="AML"))
                connection.execute(sa.update(cells).where(cells.c.n == 1).values(label="ALL"))
            told, answer = await sign(room, client)
            assert told["machine"]["blasts_per_100"] > 60
            assert answer.status_code == 409
            assert "The page did not show this slide as it is stored" in answer.text
            case: Case = await room.desk.load("home", "s1")
            assert case.entries == []
            told, answer = await sign(room, client)
            assert told["machine"]["blasts_per_100"] == 0
            assert answer.status_code == 200
            assert (await room.desk.load("home", "s1")).review.state == "signed"

    run(check())


def test_blasts_that_the_database_hides_are_on_the_page_before_anybody_signs(tmp_path):
    async def check():
        async with open_app(tmp_path, labels=[["ALL", "Normal", "Normal"]]) as (room, client):
            with room.index.engine.begin() as connection:
                connection.execute(sa.update(cells).values(label="Normal"))
            told, answer = await sign(room, client)
            assert (told["flagged"], told["ready"]) == (0, True)
            assert answer.status_code == 409
            told, answer = await sign(room, client)
            assert (told["flagged"], told["ready"]) == (1, False)
            assert "cells-unseen" in answer.text
            assert (await room.desk.load("home", "s1")).entries == []

    run(check())
