"""Reports as files, at the page: who gets which, what is noted, and what is said without them."""

import asyncio
import json

import pytest
from reading_desk import run
from reading_room import case_of, client_of, open_app

from cloud.page.routes import report as routes
from cloud.reports.fhir.check import check_bundle
from cloud.reports.gather import report_facts
from cloud.reports.pdf import draw
from cloud.reports.pdf.draw import PdfError
from cloud.reviews.entry import Reclassify
from cloud.stores import keys
from cloud.stores.objects import Objects

PDF, FHIR = "/slides/home/s1/report.pdf", "/slides/home/s1/report.fhir.json"
QUICK = [["Normal", "Normal"]]


def visit(tmp_path, steps, role="reader", **settings):
    async def go():
        async with open_app(tmp_path, role, labels=QUICK, **settings) as (room, client):
            await steps(room, client)

    run(go())


async def sign(room, who="ada"):
    case = await case_of(room)
    await room.desk.sign("home", "s1", who, shown=case.shown, last_seen=case.review.number)
    return await case_of(room)


async def amend(room, reason, label):
    case = await case_of(room)
    cell = next(iter(case.slide.machine))
    seen = {"shown": case.shown, "last_seen": case.review.number}
    await room.desk.amend("home", "s1", "ada", reason, [Reclassify([cell], label)], **seen)
    return await case_of(room)


def test_while_nobody_has_signed_the_file_is_the_machine_s_own_and_named_so(tmp_path):
    async def steps(room, client):
        answer = await client.get(FHIR)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/fhir+json"
        assert answer.headers["content-disposition"] == (
            'attachment; filename="s1-preliminary.fhir.json"'
        )
        check_bundle(answer.content, facts=report_facts(await case_of(room)))
        assert '"status":"partial"' in answer.text
        pages = await client.get(PDF)
        assert pages.content.startswith(b"%PDF-")
        assert pages.headers["content-type"] == "application/pdf"
        assert 'filename="s1-preliminary.pdf"' in pages.headers["content-disposition"]
        assert not [key for key in await room.objects.sizes(keys.SLIDES) if "reports" in key]

    visit(tmp_path, steps)


def test_what_is_signed_is_handed_out_as_it_is_kept_each_report_under_its_number(tmp_path):
    async def steps(room, client):
        first = await sign(room)
        assert (
            'filename="s1-signed-1.pdf"' in (await client.get(PDF)).headers["content-disposition"]
        )
        kept = await room.objects.get(keys.report("home", "s1", 1, "pdf"))
        assert (await client.get(PDF)).content == kept
        await amend(room, "a second look", "AML")
        latest = (await client.get(FHIR)).content
        assert json.loads(latest)["entry"][0]["resource"]["status"] == "amended"
        assert latest == await room.objects.get(keys.report("home", "s1", 2, "fhir.json"))
        earlier = await client.get(FHIR, params={"number": 1})
        check_bundle(earlier.content, facts=report_facts(first))
        assert (await client.get(PDF, params={"number": 1})).content == kept

    visit(tmp_path, steps)


@pytest.mark.parametrize("number", [2, 99, 0, "x", 10**9])
def test_a_report_that_is_none_is_refused(tmp_path, number):
    async def steps(room, client):
        await sign(room)
        answer = await client.get(
            PDF, params={"number": number}, headers={"Accept": "application/json"}
        )
        known = number in (2, 99)
        assert (answer.status_code, answer.json()["reason"]) == (
            (404, "report-unknown") if known else (422, "request-invalid")
        )

    visit(tmp_path, steps)


def test_a_slide_that_is_none_has_no_report(tmp_path):
    async def steps(room, client):
        for path in ("/slides/home/none/report.pdf", "/slides/home/a b/report.fhir.json"):
            assert (await client.get(path)).status_code == 404, path

    visit(tmp_path, steps)


def test_every_report_that_is_taken_is_in_the_audit_log_before_it_is_out(tmp_path):
    async def steps(room, client):
        await client.get(FHIR)
        await sign(room)
        await client.get(FHIR)
        taken = [line for line in room.audit.lines() if line.did == "report-taken"]
        assert {(line.who, line.site, line.slide) for line in taken} == {("ada", "home", "s1")}
        assert {line.detail for line in taken} == {
            "report=preliminary file=fhir.json",
            "report=1 file=fhir.json",
        }

    visit(tmp_path, steps)


@pytest.mark.parametrize(("name", "status"), [("ada", 200), ("lise", 200), ("root", 403)])
def test_reports_are_for_readers_and_their_lead(tmp_path, name, status):
    async def steps(room, _):
        async with client_of(room, name) as client:
            assert (await client.get(FHIR)).status_code == status
        async with client_of(room) as nobody:
            assert (await nobody.get(PDF)).status_code in (303, 401)

    visit(tmp_path, steps)


class Away(Objects):
    away = False

    async def get(self, key):
        if self.away:
            await asyncio.sleep(3600)
        return await super().get(key)


def test_while_the_store_is_away_that_is_said_and_the_machine_s_fhir_is_still_made(
    tmp_path, monkeypatch
):
    from slide_results import memory

    monkeypatch.setattr(routes, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(routes, "_DRAWING_S", 0.5)
    objects = Away(memory()[0], 0.1, lambda _: None)

    async def steps(room, client):
        objects.away = True
        answer = await client.get(PDF, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["reason"]) == (503, "store-away")
        assert (await client.get(FHIR)).status_code == 200
        objects.away = False
        await sign(room)
        objects.away = True
        answer = await client.get(FHIR, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["reason"]) == (503, "store-away")

    visit(tmp_path, steps, objects=objects)


@pytest.mark.parametrize("signed", [False, True])
def test_a_machine_without_pango_says_what_it_lacks_and_fhir_can_be_had(
    tmp_path, monkeypatch, signed
):
    def without(*_):
        raise PdfError("a PDF needs Pango: apt-get install libpango-1.0-0")

    monkeypatch.setattr("cloud.signing.drawer.draw_pdf", without)

    async def steps(room, client):
        if signed:
            await sign(room)
        answer = await client.get(PDF, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["reason"]) == (503, "report-not-made")
        assert "needs Pango" in answer.json()["sentence"]
        assert (await client.get(FHIR)).status_code == 200

    assert draw.PdfError is PdfError
    visit(tmp_path, steps)


def test_a_monitor_reads_numbers_and_nothing_of_a_slide(tmp_path):
    async def steps(room, client):
        await room.after.make(await sign(room), 1)
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert "leukoscope_reports_kept_total 1.0" in answer.text
        assert "s1" not in answer.text

    visit(tmp_path, steps, role=None)
