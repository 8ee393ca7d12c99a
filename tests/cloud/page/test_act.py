import asyncio
import json

import pytest
from reading_room import client_of
from slide_screen import with_room

from cloud.live.news import Change
from cloud.reviews.entry import Reclassify

CANARY = "KANARIENVOGEL"
"""Stands for what a reader wrote and nobody logs."""


def test_a_cell_is_called_otherwise_and_bins_and_figures_are_there_at_once(with_slide):
    async def work(here):
        screen = await here.screen()
        (pale,) = screen.cells("unidentified")
        answer = await screen.act("reclassify", cells=pale, label="AML")
        assert answer.status_code == 200
        assert pale in screen.cells("AML")
        assert screen.cells("unidentified") == []
        assert screen.number == 1
        assert "1 cell is called AML." in screen.html
        assert 'title="suggested unidentified"' in screen.html
        assert "of 7 identified" in screen.html  # before: 6
        assert (await here.projected()).review.labels == {pale: "AML"}
        assert here.did()[-1] == ("ada", "cells-reclassified", "cells=1 label=AML")

    with_slide(work)


def test_several_at_once_are_one_entry(with_slide):
    async def work(here):
        screen = await here.screen()
        normal = screen.cells("Normal")
        await screen.act("reclassify", cells=" ".join(normal), label="excluded")
        case = await here.case()
        assert case.review.number == 1
        assert set(case.review.labels) == set(normal)
        assert "4 cells are called excluded." in screen.html

    with_slide(work)


def test_steps_are_undone_one_after_another(with_slide):
    async def work(here):
        screen = await here.screen()
        (pale,) = screen.cells("unidentified")
        await screen.act("reclassify", cells=pale, label="AML")
        await screen.act("reclassify", cells=pale, label="ALL")
        await screen.act("undo", entry=2)
        assert (await here.case()).review.labels[pale] == "AML"
        assert 'data-undo="1"' in screen.html
        await screen.act("undo", entry=1)
        assert (await here.case()).review.labels[pale] == "unidentified"
        assert 'data-undo="0"' in screen.html
        assert pale in screen.cells("unidentified")

    with_slide(work)


def test_a_step_that_is_not_the_last_one_s_own_is_not_undone(with_slide):
    async def work(here):
        screen = await here.screen()
        (pale,) = screen.cells("unidentified")
        async with here.another("grace") as theirs:
            await theirs.act("reclassify", cells=pale, label="AML")
            answer = await screen.act("undo", entry=1)
        assert answer.status_code == 409
        assert screen.refusal() == "not-undoable"
        assert (await here.case()).review.labels[pale] == "AML"

    with_slide(work)


def test_what_is_undone_in_part_is_shown_said_and_noted_so(with_slide, monkeypatch):
    async def work(here):
        screen = await here.screen()
        (pale,), normal = screen.cells("unidentified"), screen.cells("Normal")[0]
        await screen.act("reclassify", cells=f"{pale} {normal}", label="excluded")
        act, left = here.room.desk.act, {pale, normal}

        async def between(site, slide, reader, action, *, last_seen):
            case = await act(site, slide, reader, action, last_seen=last_seen)
            left.difference_update(action.cells)
            theirs = Reclassify(list(left), "AML")  # grace is faster with the other one
            await act(site, slide, "grace", theirs, last_seen=case.review.number)
            return case

        monkeypatch.setattr(here.room.desk, "act", between)
        answer = await screen.act("undo", entry=1)
        monkeypatch.undo()
        assert (answer.status_code, screen.refusal()) == (409, "undone-in-part")
        assert "grace has changed this meanwhile" in screen.html
        (hers,) = left
        (back,) = {pale, normal} - left
        assert back not in screen.cells("excluded")
        assert (await here.projected()).review.labels[back] != "excluded"
        assert (await here.case()).review.labels[hers] == "AML"
        assert [did for _, did, _ in here.did()][-2:] == ["step-undone", "step-undone-in-part"]

    with_slide(work)


def test_seeing_is_kept_and_counted_and_sends_no_cells_again(with_slide):
    async def work(here):
        screen = await here.screen()
        (first,) = screen.cells("ALL")
        answer = await screen.act("see", cells=first)
        assert (
            '<b class="number">1</b> of <b class="number">2</b> flagged cells seen' in answer.text
        )
        assert "data-cell=" not in answer.text
        assert screen.number == 1
        assert (await here.projected()).review.seen == {first}

    with_slide(work)


def test_seeing_brings_what_others_did_since(with_slide):
    async def work(here):
        screen = await here.screen()
        (first,), normal = screen.cells("ALL"), screen.cells("Normal")
        async with here.another("grace") as theirs:
            await theirs.act("reclassify", cells=normal[0], label="excluded")
        await screen.act("see", cells=first)
        assert screen.number == 2
        assert screen.cells("excluded") == [normal[0]]

    with_slide(work)


def test_a_comment_stands_on_the_page_and_in_no_log(with_slide, caplog):
    async def work(here):
        screen = await here.screen()
        await screen.act("comment", text=f"{CANARY} nucleoli", cells=screen.cells("ALL")[0])
        assert f"{CANARY} nucleoli" in screen.html
        assert "commented</span>" in screen.html
        assert CANARY not in str(here.did()) + caplog.text
        assert here.did()[-1] == ("ada", "commented", "cells=1")
        answer = await screen.act("comment", text="  ")
        assert (answer.status_code, screen.refusal()) == (409, "text-missing")

    with_slide(work)


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("comment", {"text": CANARY + "x" * 2000}),
        ("reclassify", {"cells": "a/b/1", "label": CANARY}),
        ("reclassify", {"cells": " ", "label": "ALL"}),
        ("see", {}),
        ("undo", {"entry": "first"}),
    ],
)
def test_what_is_not_understood_is_refused_and_not_repeated(with_slide, verb, form):
    async def work(here):
        screen = await here.screen()
        answer = await screen.act(verb, **form)
        assert answer.status_code == 422
        assert screen.refusal() == "request-invalid"
        assert CANARY not in answer.text
        assert (await here.case()).review.number == 0

    with_slide(work)


def test_a_cell_that_is_not_there_is_refused(with_slide):
    async def work(here):
        screen = await here.screen()
        answer = await screen.act("reclassify", cells="scope-1/none/0", label="ALL")
        assert (answer.status_code, screen.refusal()) == (409, "cell-unknown")
        assert here.did()[-1][1] == "cells-reclassified-not-done"

    with_slide(work)


def test_nobody_signs_what_was_not_looked_through_and_the_page_says_what_is_missing(with_slide):
    async def work(here):
        screen = await here.screen()
        assert 'data-do="sign"' not in screen.html
        answer = await screen.act("sign")
        assert (answer.status_code, screen.refusal()) == (409, "cells-unseen")
        assert "2 cells are suspected as blasts and not yet seen" in screen.html
        await screen.act("see", cells=" ".join(screen.cells("ALL") + screen.cells("AML")))
        await screen.act("sign")
        assert screen.refusal() == "unidentified-left"
        assert (await here.case()).review.reports == []

    with_slide(work)


def test_a_slide_is_waived_signed_and_then_only_amended(with_slide):
    async def work(here):
        screen = await here.read_through(await here.screen())
        assert 'data-do="sign"' in screen.html
        answer = await screen.act("sign")
        assert answer.status_code == 200
        assert json.loads(answer.headers["hx-trigger"]) == {"say": "The report is signed."}
        assert 'data-mode="signed"' in screen.html
        assert "Signed: only to be read" in screen.html
        await screen.refreshed()
        normal = screen.cells("Normal")[0]
        answer = await screen.act("reclassify", cells=normal, label="ALL")
        assert (answer.status_code, screen.refusal()) == (409, "already-signed")
        draft = json.dumps({"changes": [{"cells": [normal], "label": "ALL"}]})
        await screen.act("draft", draft=draft)
        assert 'data-mode="amend"' in screen.html
        assert normal in screen.cells("ALL")
        assert (await here.case()).review.number == 3
        answer = await screen.act("amend", draft=draft, reason="")
        assert (answer.status_code, screen.refusal()) == (409, "reason-missing")
        answer = await screen.act("amend", draft=draft, reason=f"{CANARY} again")
        assert answer.status_code == 200
        case = await here.case()
        assert [report.reason for report in case.review.reports] == ["", f"{CANARY} again"]
        assert case.review.labels == {normal: "ALL"}
        assert CANARY not in str(here.did())
        acts = [line[1] for line in here.did() if not line[1].endswith("-not-done")]
        assert acts[-2:] == ["slide-amended", "slide-amended"]

    with_slide(work)


def test_nobody_signs_an_amendment_that_the_page_did_not_show(with_slide):
    async def work(here):
        screen = await here.read_through(await here.screen())
        await screen.act("sign")
        await screen.refreshed()
        one, two, *_ = screen.cells("Normal")
        shown = json.dumps({"changes": [{"cells": [one], "label": "ALL"}]})
        other = json.dumps({"changes": [{"cells": [one, two], "label": "ALL"}]})
        await screen.act("draft", draft=shown)
        answer = await screen.act("amend", draft=other, reason="nucleoli")
        assert (answer.status_code, screen.refusal()) == (409, "overtaken")
        assert len((await here.case()).review.reports) == 1
        assert 'data-mode="amend"' in screen.html  # it shows now what would be signed
        assert two in screen.cells("ALL")
        answer = await screen.act("amend", draft=other, reason="nucleoli")
        assert answer.status_code == 200
        assert (await here.case()).review.labels == {one: "ALL", two: "ALL"}

    with_slide(work)


@pytest.mark.parametrize("drawn", ["", "0" * 64])
def test_a_page_that_does_not_say_which_amendment_it_shows_signs_none(with_slide, drawn):
    async def work(here):
        screen = await here.read_through(await here.screen())
        await screen.act("sign")
        draft = json.dumps({"changes": []})
        answer = await screen.act("amend", draft=draft, reason="seen again", drawn=drawn)
        assert (answer.status_code, screen.refusal()) == (409, "overtaken")

    with_slide(work)


def test_nobody_signs_fields_that_were_not_on_the_screen(with_slide):
    async def work(here):
        screen = await here.read_through(await here.screen())
        await here.field(["Normal"])
        answer = await screen.act("sign")
        assert (answer.status_code, screen.refusal()) == (409, "overtaken")
        assert "other fields than you saw" in screen.html
        assert len(screen.cells("Normal")) == 5  # now they are
        assert (await screen.act("sign")).status_code == 200
        assert (await here.case()).review.reports[0].fields == 4

    with_slide(work)


def test_who_is_overtaken_is_told_by_whom_and_sees_it(with_slide):
    async def work(here):
        screen = await here.screen()
        (pale,) = screen.cells("unidentified")
        async with here.another("grace") as theirs:
            await theirs.act("reclassify", cells=pale, label="AML")
        answer = await screen.act("reclassify", cells=pale, label="ALL")
        assert (answer.status_code, screen.refusal()) == (409, "overtaken")
        assert "grace has changed this meanwhile" in screen.html
        assert pale in screen.cells("AML")
        assert (await screen.act("reclassify", cells=pale, label="ALL")).status_code == 200
        labels = [entry.action.label for entry in (await here.case()).entries]
        assert labels == ["AML", "ALL"]  # neither is lost

    with_slide(work)


def test_two_readers_on_other_cells_lose_nothing(with_slide):
    async def work(here):
        mine = await here.screen()
        async with here.another("grace") as theirs:
            one, two, *_ = mine.cells("Normal")
            answers = await asyncio.gather(
                mine.act("reclassify", cells=one, label="ALL"),
                theirs.act("reclassify", cells=two, label="AML"),
            )
        assert [answer.status_code for answer in answers] == [200, 200]
        assert (await here.projected()).review.labels == {one: "ALL", two: "AML"}

    with_slide(work)


def test_every_change_is_told_to_those_who_look(with_slide):
    async def work(here):
        news = here.room.news.follow(here.key)
        screen = await here.read_through(await here.screen())
        await screen.act("sign")
        told = [await anext(news) for _ in range(2)]
        assert told == [
            Change("home", here.slide, "review", "ada", 2),  # the one of before is overtaken by it
            Change("home", here.slide, "signed", "ada", 3),
        ]

    with_slide(work)


def test_where_two_sign_the_first_one_proposes_and_the_second_one_signs(tmp_path):
    async def work(here):
        screen = await here.read_through(await here.screen())
        assert "Two readers sign here" in screen.html
        await screen.act("sign")
        assert "You have signed as the first of two readers" in screen.html
        assert 'data-do="sign"' not in screen.html
        assert (await here.case()).review.reports == []
        answer = await screen.act("sign")
        assert (answer.status_code, screen.refusal()) == (409, "second-reader")
        async with here.another("grace") as theirs:
            assert "ada has signed this report as the first of two readers" in theirs.html
            await theirs.act("sign")
            assert 'data-mode="signed"' in theirs.html
            draft = json.dumps({"changes": []})
            await theirs.act("draft", draft=draft)
            answer = await theirs.act("amend", draft=draft, reason="second thoughts")
            assert (answer.status_code, theirs.refusal()) == (403, "role-forbids")
            assert "Only a lead amends here" in (await theirs.refreshed()).text
        async with here.another("lise") as hers:
            await hers.act("draft", draft=draft)
            assert (await hers.act("amend", draft=draft, reason="seen again")).status_code == 200
        assert [one.reader for one in (await here.case()).review.reports] == ["grace", "lise"]

    with_room(work, tmp_path, second_reader=True)


@pytest.mark.parametrize(
    "verb", ["see", "reclassify", "undo", "comment", "waive", "sign", "amend", "draft"]
)
def test_an_admin_and_a_page_without_its_token_change_nothing(with_slide, verb):
    async def work(here):
        form = {"number": 0, "shown": ""}
        assert (await here.client.post(f"{here.path}/{verb}", data=form)).status_code in (403, 422)
        async with client_of(here.room, "ada") as other:
            del other.headers["X-CSRF-Token"]
            assert (await other.post(f"{here.path}/{verb}", data=form)).status_code == 403
        assert (await here.room.desk.load("home", here.slide)).review.number == 0

    with_slide(work, who="root")


def test_an_act_on_a_slide_that_is_not_there_is_refused_and_noted_nowhere(with_slide):
    async def work(here):
        form = {"number": 0, "shown": "", "cells": "a/b/0", "label": "ALL"}
        answer = await here.client.post("/slides/home/none/reclassify", data=form)
        assert answer.status_code == 404
        assert [line for line in here.room.audit.lines() if line.slide == "none"] == []

    with_slide(work)
