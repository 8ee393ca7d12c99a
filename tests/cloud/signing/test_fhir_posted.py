"""Signed reports come to the FHIR server: all of them, in their order, whatever happens between."""

import asyncio
import ssl
import time

import msgspec
import pytest
import stamina
import trustme
from fhir_receiver import DROP, Answer, outcome, receiving
from pydantic import ValidationError
from reading_desk import run
from signing_room import Signing, amended, reports, signing_room
from structlog.testing import capture_logs

from cloud.settings import CloudSettings
from cloud.signing import outbox
from cloud.signing.letters import Letter
from cloud.signing.open import open_signing
from cloud.signing.post import FhirServer, PutOff
from cloud.signing.settings import FhirSettings
from cloud.stores import keys
from cloud.stores.keys import ReportName
from wire.settings import SettingsError
from wire.words import RESEARCH_USE_ONLY

LETTER = keys.fhir_letter(ReportName("home", "s1", 3))


@pytest.fixture(autouse=True)
def _quiet_retries():
    """As in the room: the outbox says itself what waits."""
    stamina.instrumentation.set_on_retry_hooks([])
    yield
    stamina.instrumentation.set_on_retry_hooks(None)


def post(told, steps, **fhir):
    """Sign against a receiver that answers so first; `steps(signing, receiver)` goes on."""

    async def check():
        with receiving() as (receiver, url):
            receiver.told = list(told)
            async with signing_room(url=url, **fhir) as signing, signing.running():
                await signing.here.sign()
                await steps(signing, receiver)

    run(check())


def test_each_signature_is_a_version_of_one_report_at_the_server():
    async def steps(signing, receiver):
        await signing.done()
        await amended(signing.here, "a second look")
        await amended(signing.here, "a third look", "AML")
        await signing.done()
        assert receiver.statuses == ["final", "amended", "amended"]
        (report,) = receiver.reports()
        assert report["status"] == "amended"
        assert signing.count("leukoscope_fhir_posts_total", outcome="taken") == 3
        assert set(signing.warnings) == {None}
        assert not await signing.objects.sizes(keys.FHIR_LETTERS)

    post([], steps)


TROUBLES = {
    "no answer": DROP,
    "server error": Answer(500, b"oops"),
    "unavailable": Answer(503, outcome("transient", "later")),
    "too many": Answer(429, outcome("throttled", "slowly"), Retry_After="0"),
    "conflict": Answer(409, outcome("conflict", "somebody else is at it")),
    "not let in": Answer(401, outcome("login", "who are you?")),
    "no server there": Answer(404, b"<html>not here</html>"),
    "forbidden by a proxy": Answer(403, b"<html>no</html>"),
    "forbidden, as FHIR": Answer(403, outcome("forbidden", "no role yet")),
    "not found, as FHIR": Answer(404, outcome("not-found", "no such base")),
    "not allowed, as FHIR": Answer(405, outcome("not-supported", "no POST here")),
    "gone, as FHIR": Answer(410, outcome("deleted", "this base has moved")),
    "redirect": Answer(307, b"", Location="http://127.0.0.1:1/"),
    "a login page": Answer(200, b"<html>please sign in</html>"),
    "something else": Answer(200, {"resourceType": "Patient"}),
    "an endless answer": Answer(200, b'{"x": "' + b"y" * 5_000_000),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_what_may_pass_is_tried_until_it_has_passed_and_is_said_meanwhile(trouble):
    async def steps(signing, receiver):
        await signing.done()
        assert receiver.statuses == ["final"]
        assert len(receiver.asked) == 4
        assert signing.count("leukoscope_fhir_retries_total") == 3
        assert any(said and said.startswith("1 signed report waits: ") for said in signing.warnings)
        while signing.warnings[-1] is not None:
            await asyncio.sleep(0.01)
        assert not await signing.objects.sizes(keys.FHIR_LETTERS)

    post([trouble] * 3, steps)


def test_it_waits_as_long_as_the_server_asks():
    async def steps(signing, receiver):
        await signing.done()
        (first, _), (second, _) = receiver.asked
        assert second - first >= 1

    post([Answer(503, b"", Retry_After="1")], steps)


def test_a_server_that_took_it_and_did_not_say_so_is_asked_again_which_changes_nothing():
    async def steps(signing, receiver):
        await signing.done()
        assert receiver.statuses == ["final", "final"]
        assert len(receiver.reports()) == 1

    post([Answer(200, b"", after_s=0.6, taken=True)], steps, timeout_s=0.3)


REFUSALS = {
    "bad": (Answer(400, outcome("structure", "no such element")), 400),
    "unprocessable": (Answer(422, outcome("invariant", "a rule of ours")), 422),
    "too large": (Answer(413, b"too large"), 413),
    "of a kind unknown": (Answer(415, outcome("not-supported", "no JSON here")), 415),
    "200 that means no": (Answer(200, outcome("processing", "not stored")), 200),
    "one entry refused": (
        Answer(200, {"resourceType": "Bundle", "type": "batch-response", "entry": [
            {"response": {"status": "201"}},
            {"response": {"status": "422", "outcome": outcome("value", "code unknown")}},
        ]}),
        200,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "status"), REFUSALS.values(), ids=REFUSALS)
def test_what_the_server_does_not_take_becomes_a_dead_letter_and_the_next_report_goes_on(
    answer, status
):
    async def steps(signing, receiver):
        await signing.done()
        data = await signing.objects.get(LETTER)
        letter = msgspec.json.decode(data, type=Letter)
        assert (letter.number, letter.status, letter.notice) == (3, status, RESEARCH_USE_ONLY)
        assert letter.report == keys.report("home", "s1", 3, "fhir.json")
        assert letter.reason
        while signing.warnings[-1] is None:
            await asyncio.sleep(0.01)
        assert "1 signed report was refused by the FHIR server" in signing.warnings[-1]
        await amended(signing.here, "a second look")
        await signing.done()
        assert receiver.statuses == ["amended"]
        assert await signing.objects.sizes(keys.FHIR_LETTERS), "until somebody has looked"
        assert signing.count("leukoscope_fhir_posts_total", outcome="refused") == 1
        assert signing.count("leukoscope_fhir_dead_letters") == 1

    post([answer], steps)


def test_an_outcome_without_an_error_is_a_yes():
    async def steps(signing, receiver):
        await signing.done()
        assert not await signing.objects.sizes(keys.FHIR_LETTERS)

    said = outcome("informational", "all well")
    said["issue"][0]["severity"] = "information"
    post([Answer(200, said)], steps)


def test_a_server_s_words_are_bounded_and_in_no_log():
    async def steps(signing, receiver):
        await signing.done()
        letter = msgspec.json.decode(await signing.objects.get(LETTER), type=Letter)
        assert len(letter.reason) == 2000

    with capture_logs() as log:
        post([Answer(400, outcome("structure", "a reader's words " * 10_000))], steps)
    assert "a reader's words" not in repr(log)
    (line,) = [line for line in log if line["event"] == "report_refused"]
    assert line["detail"] == "status 400, issues structure"


def test_a_report_that_is_posted_again_clears_its_dead_letter():
    async def steps(signing, receiver):
        await signing.done()
        await signing.notes.put("home", "s1", 3)
        await signing.done()
        assert receiver.statuses == ["final"]
        assert not await signing.objects.sizes(keys.FHIR_LETTERS)

    post([Answer(400, outcome("structure", "no"))], steps)


def test_reports_that_wait_at_the_end_are_posted_at_the_next_start_in_their_order():
    async def check():
        async with signing_room(url="http://127.0.0.1:9") as signing:
            async with signing.running():
                await signing.here.sign()
                await amended(signing.here, "a second look")
                while not any(signing.warnings):
                    await asyncio.sleep(0.01)
            assert "does not answer (ConnectError)" in next(filter(None, signing.warnings))
            assert len(await signing.objects.sizes(keys.REPORTS_DUE)) == 2
            with receiving() as (receiver, url):
                async with Signing(signing.here, url=url).running() as another:
                    await another.done()
                assert receiver.statuses == ["final", "amended"]

    run(check())


def test_several_programs_at_once_leave_the_newest_report_at_the_server():
    async def check():
        with receiving() as (receiver, url):
            async with signing_room() as signing:
                others = [Signing(signing.here, url=url) for _ in range(3)]
                await signing.here.sign()
                for n in range(3):
                    await amended(signing.here, f"look {n}", "AML" if n % 2 else "Normal")
                async with others[0].running(), others[1].running(), others[2].running():
                    for one in others:
                        await one.done()
                    while any(one.outbox._working for one in others):  # at rest?
                        await asyncio.sleep(0.01)
                    await signing.done()
                (report,) = receiver.reports()
                last = (await signing.here.case()).review.reports[-1]
                assert report["status"] == "amended"
                assert report["issued"][:23] == last.at.isoformat()[:23]
                assert await reports(signing.objects) == {
                    number: {"fhir.json", "pdf"} for number in (3, 4, 5, 6)
                }

    run(check())


def test_who_posts_an_earlier_report_late_has_the_newest_posted_again():
    async def steps(signing, receiver):
        await signing.done()
        await amended(signing.here, "a second look")
        await signing.done()
        await signing.notes.put("home", "s1", 3)  # as of a program that hung since
        await signing.done()
        assert receiver.statuses == ["final", "amended", "final", "amended"]

    post([], steps)


def test_one_slide_s_trouble_holds_up_no_other_slide():
    async def check():
        with receiving() as (receiver, url):
            async with signing_room(url=url, wait_s=0.3) as signing:
                receiver.told = [Answer(500)]
                async with signing.running():
                    await signing.here.sign()
                    while not receiver.asked:
                        await asyncio.sleep(0.01)
                    await signing.here.field(50, ["Normal"], slide="s2")
                    await signing.here.sign(slide="s2")
                    await signing.done()
                assert receiver.statuses == ["final", "final"]
                of = [report["identifier"][0]["value"] for report in receiver.reports()]
                assert of == ["home/s2", "home/s1"]

    run(check())


def test_a_server_that_asks_for_quiet_gets_it_from_every_slide():
    async def check():
        with receiving() as (receiver, url):
            receiver.told = [Answer(429, b"", Retry_After="1")]
            async with signing_room(url=url) as signing, signing.running():
                await signing.here.sign()
                while not receiver.asked:
                    await asyncio.sleep(0.01)
                await signing.here.field(50, ["Normal"], slide="s2")
                await signing.here.sign(slide="s2")
                await signing.done()
            (first, _), *others = receiver.asked
            assert all(at - first >= 1 for at, _ in others)
            assert len(others) == 2

    run(check())


def test_while_many_wait_not_all_of_them_are_at_it_and_each_has_its_turn(monkeypatch):
    monkeypatch.setattr(outbox, "_SLIDES", 2)
    monkeypatch.setattr(outbox, "_TRIES", 2)
    monkeypatch.setattr(outbox, "_REST_S", (0.1, 0.2))

    async def check():
        with receiving() as (receiver, url):
            receiver.told = [Answer(500)] * 7
            async with signing_room(url=url) as signing:
                for n in range(2, 7):
                    await signing.here.field(50 + n, ["Normal"], slide=f"s{n}")
                    await signing.here.sign(slide=f"s{n}")
                async with signing.running():
                    most = 0
                    while await signing.objects.sizes(keys.REPORTS_DUE):
                        most = max(most, len(signing.outbox._working))  # how many?
                        await asyncio.sleep(0.01)
            assert most == 2
            assert receiver.statuses == ["final"] * 5

    run(check())


def test_a_report_that_waits_long_does_not_keep_the_store_busy(monkeypatch):
    monkeypatch.setattr(outbox, "_TRIES", 2)
    monkeypatch.setattr(outbox, "_REST_S", (0.1, 0.1))

    async def check():
        with receiving() as (receiver, url):
            receiver.told = [Answer(500)] * 2 + [Answer(200, b"", after_s=1.5)]
            async with signing_room(url=url) as signing:
                await signing.here.sign()
                async with signing.running():
                    while len(receiver.asked) < 3:
                        await asyncio.sleep(0.01)
                    looks = []
                    sizes = signing.objects.sizes

                    async def counted(prefix):
                        looks.append(prefix)
                        return await sizes(prefix)

                    signing.objects.sizes = counted
                    await asyncio.sleep(1)
                    assert len(looks) < 6

    run(check())


def test_a_room_of_one_site_leaves_another_site_s_reports_alone():
    async def check():
        with receiving() as (receiver, url):
            async with signing_room() as signing:
                await signing.here.sign()
                elsewhere = open_signing(
                    CloudSettings(site="elsewhere", fhir={"url": url}), signing.objects
                )
                said = []
                task = asyncio.ensure_future(
                    elsewhere.outbox(signing.here.desk.load, said.append).keep()
                )
                while not said:
                    await asyncio.sleep(0.01)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await elsewhere.close()
                assert receiver.asked == []
                assert len(await signing.objects.sizes(keys.REPORTS_DUE)) == 1

    run(check())


def test_without_a_server_no_note_stays_and_nothing_is_posted():
    async def check():
        async with signing_room() as signing, signing.running():
            await signing.here.sign()
            await signing.done()
            assert signing.server is None
            assert signing.count("leukoscope_fhir_posts_total", outcome="taken") is None

    run(check())


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"token": "abc"}, "Bearer abc"),
        ({"username": "lab", "password": "pÄss"}, "Basic bGFiOnDDhHNz"),
        ({}, None),
    ],
)
def test_it_signs_in_as_the_settings_say_and_says_it_to_nobody_else(settings, header):
    async def check():
        with receiving() as (receiver, url):
            receiver.wanted = header
            async with signing_room(url=url, **settings) as signing, signing.running():
                await signing.here.sign()
                await signing.done()
                assert receiver.asked[0][1].get("authorization") == header
                assert receiver.statuses == ["final"]

    with capture_logs() as log:
        run(check())
    assert "abc" not in repr(log)


def test_the_server_s_certificate_is_held_against_the_site_s_own_authority(tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    async def check():
        with receiving(context) as (receiver, url):
            stranger = FhirServer(FhirSettings(url=url))
            with pytest.raises(PutOff, match="ConnectError"):
                await stranger.post(b"{}")
            await stranger.close()
            async with signing_room(url=url, ca_file=ca_file) as signing, signing.running():
                await signing.here.sign()
                await signing.done()
                assert receiver.statuses == ["final"]

    run(check())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://fhir.example/R4"}, "over TLS only"),
        ({"url": "https://user:pass@fhir.example/R4"}, "pattern"),
        ({"url": "https://fhir.example/R4", "username": "lab"}, "go together"),
        ({"url": "https://x.y", "token": "t", "username": "u", "password": "p"}, "set token, or"),
        ({"url": "ftp://fhir.example"}, "pattern"),
    ],
)
def test_settings_that_would_leak_or_not_work_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        FhirSettings(**settings)


def test_a_missing_file_of_certificates_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"fhir\.ca_file .*none\.pem cannot be used"):
        FhirServer(FhirSettings(url="https://fhir.example/R4", ca_file=tmp_path / "none.pem"))


def test_a_retry_after_may_be_a_time_and_is_bounded():
    from cloud.signing.post import _wait_s

    assert _wait_s(None) is None
    assert _wait_s("soon") is None
    assert _wait_s("7") == 7
    assert _wait_s("999999999") == 3600
    at = time.gmtime(time.time() + 100)
    said = time.strftime("%a, %d %b %Y %H:%M:%S GMT", at)
    assert 90 < _wait_s(said) <= 100
    assert _wait_s("Mon, 01 Jan 2001 00:00:00 GMT") == 0
