"""From a press at the station to a signed report in the bucket, with nothing but real parts.

The whole day is lived once; each test looks at one side of it. The number that is typed at the
station holds a name, and is sought everywhere at the end.
"""

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass, field

import pypdfium2
import pytest
from canary import ACCESSION, NUMBER, canaries_in, canaries_under
from processes import linux_only, program, run
from push_service import Browser, PushService, push_service
from reading_day import Day, reading_day
from rig import until

from cloud.accounts.audit import Audit, Wanted
from cloud.accounts.open import open_accounts
from cloud.push.keys import new_push_key
from cloud.reviews.entry import Sign, read
from cloud.stores import keys
from deploy.local.system import SITE
from wire import topics
from wire.codec import decode
from wire.messages import SlideResult, SlideReview

pytestmark = [pytest.mark.system, linux_only]

FIELDS = 2


@dataclass
class Lived:
    """What happened, and what was left of it."""

    day: Day
    service: PushService
    device: Browser
    token: str = ""
    other: str = ""
    """The slide that was signed while the store was away."""
    seen_live: bool = False
    while_away: dict[str, object] = field(default_factory=dict)
    bucket: dict[str, bytes] = field(default_factory=dict)
    pdf: bytes = b""
    fhir: bytes = b""


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    with pytest.MonkeyPatch.context() as patch, push_service(patch, folder) as service:
        new_push_key(folder / "push.pem")
        pushes = {
            "push_key": str(folder / "push.pem"),
            "push_contact": "mailto:it@lab.example",
            "push_services": ["localhost"],
            "push_private": True,
        }
        with reading_day(folder / "home", **pushes) as day:
            lived = Lived(day, service, service.browser("phone"))
            day.reader.press("/push/subscribe", json=lived.device.as_json()).raise_for_status()
            a_slide_is_captured_and_signed(lived)
            a_slide_is_signed_while_the_store_is_away(lived)
            everything_is_looked_at(lived)
            lived.bucket = day.kept()
            yield lived


def a_slide_is_captured_and_signed(lived):
    day = lived.day
    day.watch("/live/worklist")
    lived.token = day.begin(ACCESSION)
    day.capture()
    lived.seen_live = day.saw(lived.token, 60)
    for _ in range(FIELDS - 1):
        day.capture()
    day.has_fields(lived.token, FIELDS)
    day.look_through(lived.token)
    answer = day.act(lived.token, "sign")
    assert answer.status_code == 200, answer.text
    until(lambda: day.slide(lived.token)["state"] == "signed", 20, "it is signed")


def a_slide_is_signed_while_the_store_is_away(lived):
    day, away = lived.day, lived.while_away
    lived.other = day.begin(f"{ACCESSION} II")
    day.capture()
    day.has_fields(lived.other, 1)
    day.look_through(lived.other)
    with without_store(day):
        away["worklist"] = day.reader.get("/").status_code
        away["slide"] = day.reader.get(f"/slides/{SITE}/{lived.other}").status_code
        answer = day.act(lived.other, "sign")
        away["sign"] = (answer.status_code, answer.text)
        away["again"] = day.act(lived.other, "sign").status_code
        away["state"] = day.slide(lived.other)["state"]
    until(lambda: day.slide(lived.other)["state"] == "signed", 60, "it is signed after all")


@contextmanager
def without_store(day):
    day.kill_store()
    yield
    day.start_store()


def everything_is_looked_at(lived):
    """All that the reading room shows: it keeps what it answered."""
    day, reader = lived.day, lived.day.reader
    name = f"/slides/{SITE}/{lived.token}"
    (first, *_) = day.slide(lived.token)["fields"]
    for path in (
        *("/", "/audit", "/refusals", "/healthz", "/api/worklist", "/manifest.webmanifest"),
        *(name, f"{name}/fields/{first['name']}", first["picture"]),
    ):
        reader.get(path).raise_for_status()
    # The answer repeats what was sought, to whoever typed it; nothing else may.
    reader.http.get(f"/?q={NUMBER}").raise_for_status()
    until(lambda: any(k.endswith(".pdf") for k in day.kept()), 60, "the report is kept")
    lived.pdf = reader.get(f"{name}/report.pdf").raise_for_status().content
    lived.fhir = reader.get(f"{name}/report.fhir.json").raise_for_status().content


def cloud(lived, *arguments):
    config = str(lived.day.home.cloud_settings_file)
    return run(program("leukoscope-cloud"), *arguments, "--config", config)


def text_of(pdf):
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def test_a_slide_appears_in_the_open_worklist_by_itself(lived):
    assert lived.seen_live


def test_whoever_reads_the_topics_hears_of_the_signature(lived):
    (retained,) = lived.day.retained(lived.token)
    slide = decode(retained, SlideResult)
    assert (slide.state, slide.fields) == ("signed", FIELDS)
    (told,) = lived.day.heard.on(topics.reviews(SITE, lived.token))
    review = decode(told, SlideReview)
    assert (review.state, review.reader, review.fields) == ("signed", "reader", FIELDS)


def test_the_signed_report_is_kept_once_and_is_what_the_page_hands_out(lived):
    (number,) = signatures(lived, lived.token)
    for ending, handed_out in (("fhir.json", lived.fhir), ("pdf", lived.pdf)):
        assert lived.bucket[keys.report(SITE, lived.token, number, ending)] == handed_out
    assert json.loads(lived.fhir)["resourceType"] == "Bundle"
    assert lived.token in text_of(lived.pdf)
    assert "Research use only" in text_of(lived.pdf)


def test_every_chain_is_sound_and_the_projection_holds_nothing_of_its_own(lived):
    verified = cloud(lived, "verify", "--all", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    verdicts = [json.loads(line) for line in verified.stdout.splitlines()]
    assert {(v["slide"], v["state"]) for v in verdicts} == {
        (lived.token, "signed"),
        (lived.other, "signed"),
    }
    compared = cloud(lived, "reindex", "--check")
    assert compared.returncode == 0, compared.stdout + compared.stderr


def test_while_the_store_is_away_reading_goes_on_and_signing_waits_and_says_so(lived):
    away = lived.while_away
    assert (away["worklist"], away["slide"]) == (200, 200)
    status, html = away["sign"]
    assert status == 202
    assert "store-away" in html
    assert away["again"] == 503
    assert away["state"] == "preliminary"


def test_what_waited_is_written_once(lived):
    assert len(signatures(lived, lived.other)) == 1
    (told,) = lived.day.heard.on(topics.reviews(SITE, lived.other))
    assert decode(told, SlideReview).state == "signed"


def test_a_device_that_asked_is_told_one_sentence_of_both_slides_within_ten_minutes(lived):
    assert [lived.device.reads(pushed) for pushed in lived.service.pushed] == [
        b"A slide needs you."
    ]


def test_the_number_typed_at_the_station_is_nowhere(lived):
    day = lived.day
    assert canaries_in(ACCESSION)  # what is sought can be found
    pages = [*day.reader.answers, *(f"{name} {data}" for name, data in day.events)]
    assert [page for page in pages if canaries_in(page)] == []
    assert canaries_in(text_of(lived.pdf)) == []
    assert canaries_in(lived.fhir) == []
    assert [key for key, data in lived.bucket.items() if canaries_in(data) + canaries_in(key)] == []
    heard = day.heard.messages
    assert [topic for topic, payload in heard if canaries_in(payload) + canaries_in(topic)] == []
    pushed = lived.service.pushed
    assert [one for one in pushed if canaries_in(one.body) + canaries_in(str(one.headers))] == []
    assert canaries_in("\n".join(day.said)) == []
    # Logs, databases, settings, the broker's and the store's own files, of every part.
    assert canaries_under(day.home.folder) == []


def test_the_audit_log_tells_who_did_it_all_and_holds_no_words_of_anybody(lived):
    database = open_accounts(lived.day.system.cloud_settings)
    lines = list(Audit(database).lines(Wanted(slide=lived.token)))
    database.close()
    did = {line.did for line in lines}
    assert {"slide-viewed", "slide-signed", "report-taken"} <= did
    assert {line.who for line in lines} == {"reader"}
    assert "too few to matter" not in str(lines)


def test_every_part_ends_when_it_is_told_to(lived):
    review = lived.day.child("review")
    review.process.terminate()
    assert review.process.wait(20) == 0
    log = review.log.read_text()
    assert "Traceback" not in log


def signatures(lived, token):
    """Numbers of the entries that sign."""
    prefix = keys.reviews(SITE, token)
    entries = [read(data) for key, data in lived.bucket.items() if key.startswith(prefix)]
    return [entry.number for _, entry in entries if isinstance(entry.action, Sign)]
