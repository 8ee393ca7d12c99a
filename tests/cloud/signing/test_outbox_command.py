"""What an operator sees of reports that wait or were refused, and how they go on."""

import asyncio
import json
import subprocess
import sys

import msgspec
import pytest
import tomli_w
from fhir_receiver import Answer, outcome, receiving
from reading_desk import run
from signing_room import Signing, signing_room

from cloud.signing.command import outbox
from cloud.signing.letters import Letters
from cloud.stores.keys import ReportName

NAME = ReportName("home", "s1", 3)


def refused_once(steps):
    """A report that the server refused; `steps(signing, receiver)` goes on."""

    async def check():
        with receiving() as (receiver, url):
            receiver.told = [Answer(422, outcome("value", "code unknown"))]
            async with signing_room(url=url) as signing:
                async with signing.running():
                    await signing.here.sign()
                    await signing.done()
                await steps(signing, receiver, url)

    run(check())


def test_a_refused_report_is_shown_with_its_reason_and_can_be_posted_again():
    async def steps(signing, receiver, url):
        seen = await outbox(signing.objects, again=False, every=False)
        (letter,) = seen.refused
        assert (letter.number, letter.status, letter.issues) == (3, 422, ("value",))
        assert letter.reason.startswith("code unknown")
        assert (seen.waiting, seen.posted_again) == ([], 0)
        seen = await outbox(signing.objects, again=True, every=False)
        assert (seen.waiting, seen.posted_again) == ([NAME], 1)
        async with Signing(signing.here, url=url).running() as another:
            await another.done()
        assert receiver.statuses == ["final"]
        assert (await outbox(signing.objects, again=False, every=False)).refused == []

    refused_once(steps)


def test_every_kept_report_can_be_posted_to_a_server_that_is_new():
    async def check():
        async with signing_room() as signing:
            async with signing.running():
                await signing.here.sign()
                await signing.done()
            with receiving() as (receiver, url):
                assert (await outbox(signing.objects, again=False, every=True)).waiting == [NAME]
                async with Signing(signing.here, url=url).running() as another:
                    await another.done()
                assert receiver.statuses == ["final"]

    run(check())


@pytest.mark.system
def test_the_command_ends_with_1_while_reports_are_refused_and_prints_what_programs_read(
    store, objects, tmp_path
):
    plain = store.model_dump(exclude_none=True, exclude={"secret_access_key"})
    secret = {"secret_access_key": store.secret_access_key.get_secret_value()}
    file = tmp_path / "cloud.toml"
    file.write_text(tomli_w.dumps({"store": plain | secret}))

    def cloud(*arguments):
        command = [sys.executable, "-m", "cloud", "outbox", "--config", file, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert (cloud().returncode, cloud().stdout) == (0, "The FHIR server has refused none.\n")
    asyncio.run(Letters(objects).write(NAME, 422, ("value",), "code unknown"))
    told = cloud("--json")
    assert told.returncode == 1
    (letter,) = json.loads(told.stdout)["refused"]
    assert letter["report"] == "slides/home/s1/reports/000003.fhir.json"
    again = cloud("--again")
    assert again.returncode == 0
    assert "1 reports to be posted again" in again.stdout
    assert "code unknown" in again.stdout
    assert "fhir.url is not set here" in again.stderr
    assert asyncio.run(outbox(objects, again=False, every=False)).waiting == [NAME]


def test_a_letter_that_nobody_can_read_is_counted():
    async def check():
        async with signing_room() as signing:
            letters = Letters(signing.objects)
            await letters.write(NAME, 400, (), "x" * 5000)
            assert len((await letters.read(NAME)).reason) == 2000
            await signing.objects.put("dead-letters-fhir/home/s1/000009.json", b"{")
            assert len(await letters.names()) == 2
            seen = await outbox(signing.objects, again=False, every=False)
            assert ([letter.number for letter in seen.refused], seen.unreadable) == ([3], 1)
            assert msgspec.json.encode(seen)

    run(check())
