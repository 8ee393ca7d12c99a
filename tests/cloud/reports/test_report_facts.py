import msgspec
import pytest
from report_slides import LATER, STAGES, case_of, facts_of
from slide_results import MODEL, capture_id

from cloud.reports.gather import ReportError, report_facts
from cloud.reviews.replay import Slide
from cloud.slides.interval import exact_interval
from wire.words import RESEARCH_USE_ONLY


def counts(differential):
    return {share.label: share.count for share in differential.shares}


def test_an_unread_slide_s_report_is_the_machine_s_and_nobody_s_word():
    facts = facts_of("open")
    assert (facts.state, facts.verified, facts.reader, facts.signatures) == (
        "preliminary",
        False,
        None,
        (),
    )
    assert counts(facts.machine) == {"ALL": 1, "AML": 1, "Normal": 4, "unidentified": 1}
    assert facts.stands == facts.machine
    assert facts.notice == RESEARCH_USE_ONLY
    assert (facts.unseen, facts.unidentified_left, facts.number) == (2, 1, 0)


def test_percentages_are_of_the_identified_cells_with_their_exact_intervals():
    machine = facts_of("open").machine
    assert machine.identified == 6
    low, high = exact_interval(4, 6)
    normal = machine.shares[2]
    assert normal.percent == pytest.approx(66.667)
    assert normal.interval == pytest.approx((100 * low, 100 * high), abs=1e-3)
    assert machine.shares[3].percent is None
    assert machine.blasts_per_100 == pytest.approx(33.333)


def test_while_it_is_read_the_reader_s_counts_are_a_draft_beside_the_machine_s():
    facts = facts_of("in review")
    assert (facts.state, facts.verified) == ("preliminary", False)
    assert counts(facts.reader) == {"ALL": 1, "AML": 0, "Normal": 4, "unidentified": 1}
    assert facts.stands == facts.machine
    assert (facts.unseen, facts.unidentified_left) == (0, 0)


def test_an_excluded_cell_is_named_with_who_did_it_and_why():
    (excluded,) = facts_of("in review").excluded
    assert excluded.cell == f"scope-1/{capture_id(2)}/1"
    assert (excluded.suggested, excluded.reader, excluded.why) == ("AML", "ada", ("a smudge <b>",))


def test_what_is_signed_shows_what_was_signed_also_after_another_field_has_come():
    case = case_of("signed")
    facts = report_facts(case)
    assert facts.state == "signed"
    assert (len(facts.fields), facts.later_fields) == (3, 1)
    assert all(capture_id(LATER) not in field.name for field in facts.fields)
    (signature,) = facts.signatures
    assert (signature.reader, signature.number, signature.reason) == ("grace", 5, "")
    assert signature.entry_sha256 == case.review.head
    assert facts.as_of == signature.at
    assert facts.stands == facts.reader
    assert "not verified" not in facts.notice


def test_an_amendment_holds_and_the_earlier_report_stays_what_it_was():
    case = case_of("amended")
    now, before = report_facts(case), report_facts(case, 5)
    assert (now.state, before.state) == ("amended", "signed")
    assert [s.reason for s in now.signatures] == ["", "looked again"]
    assert now.signatures[:1] == before.signatures
    assert now.signatures[0].entry_sha256 == case.entries[5].before
    assert counts(before.reader) == {"ALL": 1, "AML": 0, "Normal": 4, "unidentified": 1}
    assert counts(now.reader) == {"ALL": 2, "AML": 0, "Normal": 5, "unidentified": 0}
    assert (now.later_fields, before.later_fields) == (0, 1)


def test_only_a_signature_can_be_asked_for_by_number():
    with pytest.raises(ReportError, match=r"entry 2 signs no report; those that do: \[5\]"):
        report_facts(case_of("signed"), 2)


def test_a_slide_without_a_result_has_no_report():
    case = case_of("open")
    empty = type(case)(Slide({}, {}), case.review, case.entries)
    with pytest.raises(ReportError, match="no result of this slide"):
        report_facts(empty)


def test_a_signed_field_that_is_gone_is_said_and_not_left_out():
    case = case_of("signed")
    lost = next(iter(case.slide.results))
    rest = Slide.of([r for name, r in case.slide.results.items() if name != lost])
    with pytest.raises(ReportError, match=f"the signed field {lost} is not stored"):
        report_facts(type(case)(rest, case.review, case.entries))


def test_figures_that_are_not_those_that_were_signed_are_refused():
    case = case_of("signed")
    results = list(case.slide.results.values())
    first = results[0]
    cells = [msgspec.structs.replace(first.cells[0], label="Normal"), *first.cells[1:]]
    altered = Slide.of([msgspec.structs.replace(first, cells=cells), *results[1:]])
    with pytest.raises(ReportError, match="run leukoscope-cloud verify"):
        report_facts(type(case)(altered, case.review, case.entries))


def test_a_bad_field_is_told_with_its_reason():
    *_, blurred = facts_of("open").fields
    assert blurred.problem.code == "out-of-focus"


def test_every_model_is_named_with_its_digest_and_its_fields():
    (model,) = facts_of("open").models
    assert (model.name, model.version, model.sha256, model.fields) == (
        MODEL.name,
        MODEL.version,
        MODEL.sha256,
        3,
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_same_slide_gives_the_same_facts(stage):
    case = case_of(stage)
    shuffled = type(case)(
        Slide.of(list(case.slide.results.values())), case.review.copy(), list(case.entries)
    )
    assert msgspec.json.encode(report_facts(case)) == msgspec.json.encode(report_facts(shuffled))
