"""Journeys, agreement and summary: what a demo counts."""

import json
import threading
from datetime import UTC, datetime

import numpy as np
import pytest
from frames import frame

from deploy.local.agreement import Agreement
from deploy.local.journey import Journeys
from deploy.local.summary import STAGES, summarise
from edge.cameras.base import Shot, TrueCell
from edge.capture import Capture
from imaging.box import Box
from wire import messages
from wire.messages import CellResult, FrameResult, FrameTimings, ModelRef, Receipt
from wire.words import RESEARCH_USE_ONLY


def capture(*, truth=None, width=160):
    """A saved capture; the picture was `width` wide, the sent image is 160."""
    shot = Shot(np.zeros((width * 3 // 4, width, 3), np.uint8), truth=truth)
    stages = {
        "capture": 10.0,
        "measure": 1.0,
        "label": 1.0,
        "find": 2.0,
        "encode": 3.0,
        "save": 4.0,
    }
    return Capture(frame(), shot, stages)


def receipt(of, **changes):
    values = {
        "capture_id": of.frame.capture_id,
        "outcome": "stored",
        "key": "results/x.json",
        "at": datetime.now(UTC),
    }
    return Receipt(**(values | changes))


def cell(label="ALL", box=(10, 10, 40, 40)):
    return CellResult(messages.Box(*box), label, 0.9, {"ALL": 0.9, "Normal": 0.1}, 0.8)


def result(of, cells=()):
    sent = of.frame
    return FrameResult(
        capture_id=sent.capture_id,
        site=sent.site,
        device=sent.device,
        slide=sent.slide,
        label="ALL",
        explanation="",
        counts={},
        cells=list(cells),
        model=ModelRef("m", "1", "0" * 64),
        captured_at=sent.captured_at,
        classified_at=sent.captured_at,
        image_key="",
        image_sha256=sent.sha256,
        width=sent.width,
        height=sent.height,
        quality=None,
        finder="",
        timings_ms=FrameTimings(5.0, 0.0, 6.0),
    )


def drawn(label="ALL", box=(10, 10, 40, 40)):
    return TrueCell(Box(*box), "lymphoblast", label)


# --- agreement ---


def test_a_cell_that_was_found_and_named_as_drawn_agrees():
    agreement = Agreement()
    agreement.add(result(capture(), [cell("ALL")]), [drawn("ALL")], 1.0)
    assert (agreement.drawn, agreement.found, agreement.agreed, agreement.extra) == (1, 1, 1, 0)
    assert agreement.share == 1


def test_a_cell_named_otherwise_is_found_but_does_not_agree():
    agreement = Agreement()
    agreement.add(result(capture(), [cell("AML")]), [drawn("ALL")], 1.0)
    assert (agreement.found, agreement.agreed, agreement.share) == (1, 0, 0)
    assert agreement.confusion == {"ALL": {"AML": 1}}


def test_an_unidentified_cell_is_found_and_left_out_of_the_share():
    agreement = Agreement()
    cells = [cell("unidentified"), cell("ALL", (80, 10, 40, 40))]
    agreement.add(result(capture(), cells), [drawn(), drawn(box=(80, 10, 40, 40))], 1.0)
    assert (agreement.found, agreement.unidentified, agreement.agreed) == (2, 1, 1)
    assert agreement.share == 1


def test_a_cell_elsewhere_is_extra_and_the_drawn_one_is_not_found():
    agreement = Agreement()
    agreement.add(result(capture(), [cell(box=(100, 70, 40, 40))]), [drawn()], 1.0)
    assert (agreement.drawn, agreement.found, agreement.extra) == (1, 0, 1)
    assert agreement.share is None


def test_one_found_cell_answers_for_one_drawn_cell_only():
    agreement = Agreement()
    agreement.add(result(capture(), [cell()]), [drawn(), drawn(box=(12, 12, 40, 40))], 1.0)
    assert (agreement.drawn, agreement.found, agreement.extra) == (2, 1, 0)


@pytest.mark.parametrize(("shift", "found"), [(0, 1), (13, 1), (14, 0), (40, 0)])
def test_a_match_needs_half_of_the_union(shift, found):
    """40 − s of 40 + s columns overlap: 27/53 = 0.509 and 26/54 = 0.481."""
    agreement = Agreement()
    agreement.add(result(capture(), [cell(box=(10 + shift, 10, 40, 40))]), [drawn()], 1.0)
    assert agreement.found == found


def test_boxes_are_compared_in_pixels_of_the_sent_image():
    agreement = Agreement()
    agreement.add(result(capture(), [cell(box=(5, 5, 20, 20))]), [drawn()], 0.5)
    assert agreement.found == 1


def test_fields_add_up():
    agreement = Agreement()
    for label in ("ALL", "AML", "ALL"):
        agreement.add(result(capture(), [cell(label)]), [drawn("ALL")], 1.0)
    assert (agreement.drawn, agreement.agreed, agreement.share) == (3, 2, 0.6667)


# --- journeys ---


@pytest.fixture
def journeys():
    return Journeys()


def saved(journeys, of=None):
    journey = journeys.begin("s1")
    journeys.saved(journey, of or capture())
    return journey


def test_a_journey_goes_from_captured_to_received(journeys):
    journey = journeys.begin("s1")
    states = [journey.state]
    of = capture()
    journeys.saved(journey, of)
    states.append(journey.state)
    journeys.arrived(receipt(of))
    states.append(journey.state)
    assert journeys.open() == 1
    journeys.arrived(result(of))
    states.append(journey.state)
    assert states == ["captured", "saved", "stored", "received"]
    assert journeys.open() == 0
    assert journey.saved_at <= journey.receipted_at <= journey.received_at


def test_answers_that_come_before_the_capture_is_told_of_are_kept(journeys):
    journey, of = journeys.begin("s1"), capture()
    journeys.arrived(result(of))
    journeys.arrived(receipt(of))
    assert journey.state == "captured"
    journeys.saved(journey, of)
    assert journey.state == "received"


def test_answers_of_another_run_change_nothing(journeys):
    journey = saved(journeys)
    journeys.arrived(result(capture()))
    journeys.arrived(receipt(capture()))
    journeys.arrived(receipt(capture(), capture_id=None, outcome="refused"))
    assert journey.state == "saved"


def test_repeats_are_counted_and_the_first_answer_stays(journeys):
    of = capture()
    journey = saved(journeys, of)
    journeys.arrived(receipt(of))
    first = journey.receipt
    journeys.arrived(receipt(of, duplicate=True))
    for _ in range(3):
        journeys.arrived(result(of))
    assert journey.receipt is first
    assert journeys.tally.duplicate_receipts == 1
    assert journeys.tally.repeated_results == 2


def test_a_refused_frame_is_at_its_end_without_a_result(journeys):
    of = capture()
    journey = saved(journeys, of)
    journeys.arrived(receipt(of, outcome="refused", reason="r", detail="d"))
    assert journey.state == "refused"
    assert journeys.open() == 0


def test_answers_from_two_threads_at_once_are_all_noted(journeys):
    captures = [capture() for _ in range(200)]
    threads = [
        threading.Thread(target=lambda make=make: [journeys.arrived(make(c)) for c in captures])
        for make in (receipt, result)
    ]
    for thread in threads:
        thread.start()
    for of in captures:
        saved(journeys, of)
    for thread in threads:
        thread.join()
    assert journeys.open() == 0
    assert {journey.state for journey in journeys.all} == {"received"}


# --- summary ---


def through(journeys, *, truth=None, width=160, cells=()):
    of = capture(truth=truth, width=width)
    saved(journeys, of)
    journeys.arrived(receipt(of))
    journeys.arrived(result(of, cells))
    return of.frame.capture_id


def test_a_run_in_which_all_went_well(journeys):
    ids = {through(journeys, truth=(drawn(),), cells=[cell()]) for _ in range(3)}
    summary = summarise(journeys, ids)
    counts = {
        name: summary[name] for name in ("captured", "saved", "stored", "published", "receipted")
    }
    assert set(counts.values()) == {3}
    assert (summary["refused"], summary["duplicates"], summary["lost"]) == (0, 0, 0)
    assert summary["notice"] == RESEARCH_USE_ONLY
    assert summary["fields_by_label"] == {"ALL": 3}
    assert summary["cells_by_label"] == {"ALL": 3}
    assert summary["agreement"]["share"] == 1
    assert json.loads(json.dumps(summary)) == summary


def test_what_is_receipted_but_not_in_the_bucket_is_lost(journeys):
    kept = through(journeys)
    through(journeys)
    summary = summarise(journeys, {kept})
    assert (summary["receipted"], summary["stored"], summary["lost"]) == (2, 1, 1)


def test_what_got_no_answer_is_lost_unless_it_is_in_the_bucket(journeys):
    of = capture()
    saved(journeys, of)
    assert summarise(journeys, set())["lost"] == 1
    assert summarise(journeys, {of.frame.capture_id})["lost"] == 0


def test_refusals_of_station_and_cloud_are_counted_with_their_sentences_and_are_not_lost(journeys):
    journeys.refused(journeys.begin("s1"), "too dark")
    journeys.refused(journeys.begin("s1"), "too dark")
    of = capture()
    saved(journeys, of)
    journeys.arrived(receipt(of, outcome="refused", reason="r", detail="damaged"))
    summary = summarise(journeys, set())
    assert (summary["captured"], summary["saved"], summary["refused"]) == (3, 1, 3)
    assert summary["lost"] == 0
    assert summary["refusals"] == {"too dark": 2, "damaged": 1}


def test_duplicates_are_receipts_and_results_that_came_again(journeys):
    of = capture()
    saved(journeys, of)
    for duplicate in (False, True):
        journeys.arrived(receipt(of, duplicate=duplicate))
        journeys.arrived(result(of))
    assert summarise(journeys, {of.frame.capture_id})["duplicates"] == 2


def test_without_ground_truth_there_is_no_agreement(journeys):
    assert summarise(journeys, {through(journeys)})["agreement"] is None


def test_agreement_scales_the_truth_to_the_sent_image(journeys):
    truth = (drawn(box=(20, 20, 80, 80)),)
    summary = summarise(journeys, {through(journeys, truth=truth, width=320, cells=[cell()])})
    assert summary["agreement"]["found"] == 1


def test_each_stage_has_its_percentiles_in_milliseconds(journeys):
    for _ in range(3):
        through(journeys)
    stages = summarise(journeys, set())["milliseconds"]
    assert set(stages) == set(STAGES) - {"cloud_find"}  # the station has looked already
    assert stages["capture"] == {"p50": 10.0, "p99": 10.0}
    assert stages["cloud_classify"] == {"p50": 6.0, "p99": 6.0}
    for values in stages.values():
        assert 0 <= values["p50"] <= values["p99"]


def test_an_empty_run_has_a_summary_too(journeys):
    summary = summarise(journeys, set())
    assert summary["captured"] == 0
    assert summary["milliseconds"] == {}
