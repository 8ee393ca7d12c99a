"""Where two readers answer for a report, every form of it names both."""

import json

import pypdfium2
from report_slides import case_of, facts_of

from cloud.reports.fhir.bundle import make_bundle
from cloud.reports.gather import report_facts
from cloud.reports.pdf.draw import draw_pdf


def text_of(data):
    with pypdfium2.PdfDocument(data) as document:
        found = [leaf.get_textpage().get_text_bounded() for leaf in document]
    return " ".join(" ".join(found).split())


def test_the_facts_name_who_signed_first_and_who_second():
    case = case_of("signed by two")
    facts = report_facts(case)
    (signature,) = facts.signatures
    assert signature.readers == ("ada", "grace")
    assert (signature.first.number, signature.number) == (5, 6)
    assert signature.first.entry_sha256 == case.entries[5].before
    assert facts.proposed is None
    assert facts_of("signed").signatures[0].readers == ("grace",)


def test_what_one_of_two_has_signed_is_preliminary_and_says_who_has():
    facts = facts_of("proposed")
    assert (facts.state, facts.verified) == ("preliminary", False)
    assert (facts.proposed.reader, facts.proposed.number) == ("ada", 5)
    text = text_of(draw_pdf(facts, {}))
    assert "ada has signed as the first of two readers, a second one has not." in text
    assert "Nobody has signed" not in text
    assert "this report is not signed yet" in text
    made = json.loads(make_bundle(facts))
    report = made["entry"][0]["resource"]
    assert (report["status"], "resultsInterpreter" in report) == ("partial", False)
    assert "ada" not in json.dumps([e["resource"].get("agent") for e in made["entry"]])


def test_the_signature_block_and_the_head_of_the_pages_name_both():
    facts = facts_of("signed by two")
    text = text_of(draw_pdf(facts, {}))
    assert "Signed by ada and grace," in text
    assert "ada, first reader, signed" in text
    assert "grace, second reader, signed" in text
    for entry in (facts.signatures[0].first, facts.signatures[0]):
        assert entry.entry_sha256 in text.replace(" ", "")


def test_in_fhir_both_are_verifiers_and_both_entries_are_named():
    facts = facts_of("signed by two")
    parts = [entry["resource"] for entry in json.loads(make_bundle(facts))["entry"]]
    report = parts[0]
    assert [who["display"] for who in report["resultsInterpreter"]] == ["ada", "grace"]
    (person,) = [
        part
        for part in parts
        if part["resourceType"] == "Provenance" and "reason" not in part and len(part["agent"]) == 2
    ]
    assert [agent["who"]["display"] for agent in person["agent"]] == ["ada", "grace"]
    named = [
        e["what"]["identifier"]["value"] for e in person["entity"] if "identifier" in e["what"]
    ]
    assert named == [facts.signatures[0].first.entry_sha256, facts.signatures[0].entry_sha256]
