import json
import subprocess
import sys

import pytest
import tomli_w
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from reading_desk import KEY, LABELS, Room, run

from cloud.reports.fhir.check import check_bundle
from cloud.reviews.entry import See, Waive
from cloud.stores import keys

pytestmark = pytest.mark.system


@pytest.fixture
def report(tmp_path, store):
    """`report(…)` runs it as a person would; `trusting=False` without the key that signed."""
    plain = store.model_dump(exclude_none=True, exclude={"secret_access_key"})
    secret = {"secret_access_key": store.secret_access_key.get_secret_value()}
    public = tmp_path / "review.pem.pub"
    form = PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, form))

    def told(*arguments, trusting=True, **more):
        settings = {"store": plain | secret, "site": "home"} | more
        file = tmp_path / "cloud.toml"
        file.write_text(
            tomli_w.dumps(settings | ({"review_trusted": [str(public)]} if trusting else {}))
        )
        command = [sys.executable, "-m", "cloud", "report", "--config", file, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return told


def emptied(objects):
    async def empty():
        for key in await objects.sizes(""):
            await objects.delete(key)

    run(empty())


def test_a_report_is_shown_and_written_from_the_bucket_alone_and_refused_once_altered(
    objects, report, tmp_path
):
    here = Room(None, objects)
    file = tmp_path / "s1.json"

    async def captured():
        for number, labels in enumerate(LABELS):
            await here.field(number, labels)

    async def signed():
        await here.do(See([*await here.cells("ALL"), *await here.cells("AML")]))
        await here.do(Waive("too pale"))
        await here.sign("grace")

    async def altered():
        key = keys.review("home", "s1", 2)
        data = await objects.get(key)
        await objects.put(key, data.replace(b"too pale", b"too dark"))

    assert "no result of this slide" in report("s1").stderr
    run(captured())
    open_ = report("s1", "--fhir", file, trusting=False)
    assert open_.returncode == 0, open_.stderr
    assert "preliminary" in open_.stdout
    assert "Research use only" in open_.stdout
    check_bundle(file.read_bytes())
    assert b'"status":"partial"' in file.read_bytes()

    run(signed())
    untrusting = report("s1", "--fhir", file, trusting=False)
    assert (untrusting.returncode, "no key is trusted" in untrusting.stderr) == (2, True)
    paper = tmp_path / "s1.pdf"
    done = report("s1", "--fhir", file, "--pdf", paper, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "signed"
    assert paper.read_bytes().startswith(b"%PDF")
    check_bundle(file.read_bytes())
    assert b'"status":"final"' in file.read_bytes()
    assert "those that do: [3]" in report("s1", "--number", "1").stderr

    before = file.read_bytes()
    run(altered())
    wrong = report("s1", "--fhir", file)
    assert (wrong.returncode, "run leukoscope-cloud verify s1" in wrong.stderr) == (1, True)
    assert file.read_bytes() == before
    emptied(objects)


def test_settings_that_are_wrong_are_named(report, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("")
    wrong = report("s1", fhir_codes=str(own))
    assert wrong.returncode == 2
    assert "lacks table" in wrong.stderr
    slide = report("s/1")
    assert (slide.returncode, "s/1" in slide.stderr) == (2, True)
