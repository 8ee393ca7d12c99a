import hashlib

import cv2
import numpy as np
import pypdfium2
import pytest
from frames import jpeg
from msgspec.structs import replace
from reading_desk import run
from report_slides import STAGES, facts_of

from cloud.reports.pdf.draw import draw_pdf, page
from cloud.reports.pdf.pictures import load_pictures


def pages(data):
    document = pypdfium2.PdfDocument(data)
    found = []
    for leaf in document:
        text = leaf.get_textpage()
        found.append(" ".join(text.get_text_bounded().split()))
        text.close()
        leaf.close()
    document.close()
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_every_page_says_research_use_only_the_state_and_its_number(stage):
    facts = facts_of(stage)
    found = pages(draw_pdf(facts, {}))
    for n, text in enumerate(found, 1):
        assert facts.notice in text.replace("pre- classification", "pre-classification")
        assert f"Slide s1 · {facts.state}" in text
        assert f"Page {n} of {len(found)}" in text


def test_the_pages_hold_figures_intervals_model_quality_limitations_and_signatures():
    facts = facts_of("amended")
    text = " ".join(pages(draw_pdf(facts, {})))
    low, high = facts.reader.blasts_interval
    for wanted in (
        f"{facts.reader.blasts_per_100:.1f}",
        f"exact 95 % interval {low:.1f} to {high:.1f}",
        "2 · 28.6 % (3.7 to 71.0)",
        "a smudge <b>",
        "too pale to name",
        "The field is out of focus",
        facts.limitations[1],
        "grace, signed",
        "ada, amended",
        "Reason of the amendment: looked again",
    ):
        assert wanted in text, wanted
    unbroken = text.replace(" ", "")
    assert facts.models[0].sha256 in unbroken
    assert facts.signatures[1].entry_sha256 in unbroken


def test_an_unsigned_report_names_no_signer():
    text = " ".join(pages(draw_pdf(facts_of("in review"), {})))
    assert "Preliminary: suggested pre-classification. Nobody has signed." in text
    assert "Reader (draft)" in text
    assert "Not signed." in text


def test_the_same_facts_give_the_same_pages():
    facts = facts_of("signed")
    assert draw_pdf(facts, {}) == draw_pdf(facts, {})


class Bucket:
    def __init__(self, objects):
        self.objects = objects

    async def get(self, key):
        return self.objects.get(key)


def test_cells_are_cut_from_the_very_images_that_were_read_and_others_are_left_out():
    facts = facts_of("open")
    images = [jpeg(n, 640, 480) for n in range(3)]
    digests = [hashlib.sha256(image).hexdigest() for image in images]
    fields = tuple(
        replace(field, image_sha256=digest)
        for field, digest in zip(facts.fields, digests, strict=True)
    )
    facts = replace(facts, fields=fields)
    keys = [field.image_key for field in fields]
    bucket = Bucket({keys[0]: images[0], keys[1]: images[2]})  # altered; the third is gone
    pictures = run(load_pictures(bucket, facts))
    assert {name.rpartition("/")[0] for name in pictures} == {fields[0].name}
    cell = cv2.imdecode(np.frombuffer(next(iter(pictures.values())), np.uint8), cv2.IMREAD_COLOR)
    assert cell.shape == (160, 160, 3)
    html = page(facts, pictures)
    assert html.count("<img ") == len(pictures) == 2
    assert html.count("not stored") == len(facts.gallery) - 2
    assert draw_pdf(facts, pictures).startswith(b"%PDF")
