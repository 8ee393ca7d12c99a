import json
import re
from collections import Counter

import pytest
from fhir.resources.R4B.bundle import Bundle
from report_slides import STAGES, case_of, facts_of

from cloud.reports.fhir.bundle import make_bundle
from cloud.reports.fhir.check import FhirError, check_bundle
from cloud.reports.fhir.codes import SHIPPED, CodesError, load_codes
from cloud.reports.gather import report_facts
from wire.words import RESEARCH_USE_ONLY


def bundle(stage, number=None):
    return json.loads(make_bundle(facts_of(stage, number)))


def parts(made, kind):
    found = [entry["resource"] for entry in made["entry"]]
    return [part for part in found if part["resourceType"] == kind]


def code_of(part):
    return part["code"]["coding"][0]["code"]


def labelled(part):
    return any(c["code"] == "AIAST" for c in part.get("meta", {}).get("security", []))


def observations(made):
    return {code_of(part): part for part in parts(made, "Observation")}


@pytest.mark.parametrize("stage", STAGES)
def test_in_every_state_it_is_what_the_library_takes_and_says_what_the_facts_say(stage):
    facts = facts_of(stage)
    data = make_bundle(facts)
    assert Bundle.model_validate_json(data).type == "transaction"
    check_bundle(data, facts=facts)


@pytest.mark.parametrize("stage", STAGES)
def test_the_same_slide_gives_the_same_bytes(stage):
    case = case_of(stage)
    assert make_bundle(report_facts(case)) == make_bundle(report_facts(case))


@pytest.mark.parametrize(
    ("stage", "status", "rests_on"),
    [
        ("open", "partial", "preliminary"),
        ("in review", "partial", "preliminary"),
        ("signed", "final", "final"),
        ("amended", "amended", "amended"),
    ],
)
def test_the_report_is_partial_until_signed_then_final_then_amended(stage, status, rests_on):
    made = bundle(stage)
    (report,) = parts(made, "DiagnosticReport")
    assert (code_of(report), report["status"]) == ("5909-7", status)
    blasts = observations(made)["26446-5"]
    assert blasts["status"] == rests_on
    assert labelled(report) is labelled(blasts) is (status == "partial")
    assert ("resultsInterpreter" in report) is (status != "partial")


def test_blasts_come_with_their_exact_interval_in_percent():
    facts = facts_of("signed")
    blasts = observations(json.loads(make_bundle(facts)))["26446-5"]
    assert blasts["valueQuantity"]["value"] == facts.reader.blasts_per_100 == 20.0
    ends = tuple(part["valueQuantity"]["value"] for part in blasts["component"])
    assert ends == facts.reader.blasts_interval
    assert blasts["performer"][0]["display"] == "grace"


def test_the_machine_s_counts_stay_preliminary_and_unverified_beside_the_reader_s():
    found = observations(bundle("amended"))
    machine, reader = found["differential-machine"], found["differential-reader"]
    assert (machine["status"], labelled(machine)) == ("preliminary", True)
    assert machine["note"][0]["text"] == RESEARCH_USE_ONLY
    assert (reader["status"], labelled(reader)) == ("amended", False)
    counted = [part["valueQuantity"]["value"] for part in reader["component"]]
    assert counted == [2, 0, 5, 0, 1]
    assert "a smudge <b>" in reader["note"][1]["text"]


def test_a_draft_of_a_reader_is_not_sent():
    assert "differential-reader" not in observations(bundle("in review"))


def test_a_disease_is_only_ever_the_suspected_value_of_an_observation():
    made = bundle("open")
    values = [
        part["valueCodeableConcept"]
        for part in parts(made, "Observation")
        if code_of(part) == "suspected-class"
    ]
    assert [value["coding"][0]["code"] for value in values] == ["C91.0", "C92.0"]
    assert all(value["text"].startswith("Suspected only") for value in values)
    kinds = Counter(entry["resource"]["resourceType"] for entry in made["entry"])
    assert set(kinds) == {"DiagnosticReport", "Observation", "Device", "Media", "Provenance"}
    assert "conclusionCode" not in json.dumps(made)


def test_a_class_that_nobody_counted_is_not_suspected():
    text = json.dumps(bundle("signed"))
    assert "C91.0" in text
    assert "C92.0" not in text


def suspected(made):
    """Status of each suspected class by its id, and whether it says which."""
    return {
        part["id"]: (part["status"], "valueCodeableConcept" in part)
        for part in parts(made, "Observation")
        if code_of(part) == "suspected-class"
    }


def test_a_suspicion_that_the_reader_overruled_is_withdrawn_under_the_id_that_a_server_has():
    before, after = bundle("open"), bundle("signed")
    of_all, of_aml = suspected(before)
    assert suspected(before) == {of_all: ("preliminary", True), of_aml: ("preliminary", True)}
    assert suspected(after) == {of_all: ("final", True), of_aml: ("entered-in-error", False)}
    assert suspected(bundle("amended"))[of_aml] == ("entered-in-error", False)
    (report,) = parts(after, "DiagnosticReport")
    assert f"urn:uuid:{of_aml}" not in {result["reference"] for result in report["result"]}
    (gone,) = [part for part in parts(after, "Observation") if part["id"] == of_aml]
    assert "no cell is suspected as a blast of AML" in gone["note"][1]["text"]
    assert gone["performer"][0]["display"] == "grace"


def test_model_fields_machine_and_person_are_named():
    facts = facts_of("amended")
    made = json.loads(make_bundle(facts))
    (device,) = parts(made, "Device")
    assert [v["value"] for v in device["version"]] == ["1.0.0", "a" * 64]
    media = parts(made, "Media")
    assert [m["content"]["title"] for m in media] == [field.image_key for field in facts.fields]
    assert "out of focus" in media[2]["note"][0]["text"]
    machine, first, amended = parts(made, "Provenance")
    assert labelled(machine)
    assert [p["agent"][0]["who"]["display"] for p in (first, amended)] == ["grace", "ada"]
    assert amended["reason"][0]["text"] == "looked again"
    assert facts.signatures[1].entry_sha256 in json.dumps(amended)


def test_a_report_keeps_its_ids_so_that_a_server_keeps_versions_of_one():
    ids = [{part["id"] for part in parts(bundle(stage), "DiagnosticReport")} for stage in STAGES]
    assert ids[0] == ids[1] == ids[2] == ids[3]


def test_a_slide_without_a_named_cell_says_why_there_is_no_figure():
    case = case_of("open")
    facts = report_facts(type(case)(nameless(case), case.review, case.entries))
    data = make_bundle(facts)
    check_bundle(data, facts=facts)
    blasts = observations(json.loads(data))["26446-5"]
    assert "valueQuantity" not in blasts
    assert blasts["dataAbsentReason"]["coding"][0]["code"] == "not-applicable"


def nameless(case):
    """The second field's first cell is unidentified; the slide with nothing else on it."""
    from msgspec.structs import replace

    second = list(case.slide.results.values())[1]
    return type(case.slide).of([replace(second, cells=second.cells[:1])])


def entry_of(made, kind):
    return next(e for e in made["entry"] if e["resource"]["resourceType"] == kind)


def tampered(stage, change):
    made = bundle(stage)
    change(made)
    return json.dumps(made).encode()


def _condition(made):
    condition = {"resourceType": "Condition", "id": "c", "subject": {"display": "x"}}
    made["entry"].append(
        {
            "fullUrl": "urn:uuid:c",
            "resource": condition,
            "request": {"method": "PUT", "url": "Condition/c"},
        }
    )


def _set(kind, element, value):
    return lambda made: entry_of(made, kind)["resource"].__setitem__(element, value)


def _drop(kind, element):
    return lambda made: entry_of(made, kind)["resource"].pop(element)


def _of_status(wanted, **changes):
    def change(made):
        found = [part for part in parts(made, "Observation") if part["status"] == wanted]
        found[0].update(changes)

    return change


TAMPERED = {
    "a withdrawn suspicion made final": (
        "signed",
        _of_status("entered-in-error", status="final"),
        "is final, and the report does not rest on it",
    ),
    "a withdrawn suspicion that still names a disease": (
        "signed",
        _of_status("entered-in-error", valueCodeableConcept={"text": "AML"}),
        "still says something",
    ),
    "an element that FHIR does not know": ("open", _set("Media", "colour", "x"), "no FHIR bundle"),
    "a missing code": ("open", _drop("DiagnosticReport", "code"), "no FHIR bundle"),
    "a time that is none": ("open", _set("Observation", "issued", "soon"), "no FHIR bundle"),
    "a disease as a condition": ("open", _condition, "a Condition has no place"),
    "a disease as conclusion": (
        "signed",
        _set("DiagnosticReport", "conclusionCode", [{"text": "ALL"}]),
        "states a diagnosis",
    ),
    "a patient": ("signed", _set("DiagnosticReport", "subject", {"display": "x"}), "names a pat"),
    "final without a signature": (
        "open",
        _set("DiagnosticReport", "status", "final"),
        "rests on what is preliminary",
    ),
    "an unknown status": ("open", _set("DiagnosticReport", "status", "done"), "is none of"),
    "a preliminary figure in a final report": (
        "signed",
        _set("Observation", "status", "preliminary"),
        "rests on what is preliminary",
    ),
    "the label taken off": ("open", _drop("DiagnosticReport", "meta"), "lacks the label AIAST"),
    "the label put back": (
        "signed",
        _set("Observation", "meta", {"security": [load_codes()["unverified"].coding]}),
        "still has the label",
    ),
    "the signer taken out": (
        "signed",
        lambda made: made["entry"].pop(),
        "nobody signed this report",
    ),
    "a field taken out": (
        "signed",
        lambda made: made["entry"].remove(entry_of(made, "Media")),
        "which is not here",
    ),
    "another id": ("open", _set("Media", "id", "x"), "not what its fullUrl says"),
    "another place": (
        "open",
        lambda made: entry_of(made, "Media")["request"].__setitem__("url", "Media/x"),
        "would not be put",
    ),
    "an entry twice": (
        "open",
        lambda made: made["entry"].append(made["entry"][0]),
        "two entries have one fullUrl",
    ),
    "no notice": ("open", _set("DiagnosticReport", "conclusion", "ALL"), "research use only"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_bundle_is_refused(name):
    stage, change, sentence = TAMPERED[name]
    with pytest.raises(FhirError, match=sentence):
        check_bundle(tampered(stage, change))


def test_a_changed_figure_is_refused_by_the_facts():
    facts = facts_of("signed")
    changed = make_bundle(facts).replace(b'"value":20.0', b'"value":2.0')
    check_bundle(changed)  # nothing wrong with it as FHIR
    with pytest.raises(FhirError, match="does not say what"):
        check_bundle(changed, facts=facts)


def test_what_is_no_json_is_refused():
    with pytest.raises(FhirError, match="no FHIR bundle"):
        check_bundle(b"{")


def test_every_code_has_a_source_and_a_site_can_put_its_own_in_their_place(tmp_path):
    codes = load_codes()
    assert all(code.source and code.display for code in codes.codes.values())
    own = tmp_path / "own.toml"
    own.write_text(SHIPPED.read_text().replace("https://leukoscope.invalid", "https://lab.example"))
    facts = facts_of("signed")
    data = make_bundle(facts, load_codes(own))
    check_bundle(data, load_codes(own), facts)
    assert b"leukoscope.invalid" not in data


def test_no_code_stands_outside_the_file_of_codes():
    room = SHIPPED.parent
    systems = re.compile(r"https?://|urn:oid|\bC9[12]\.0|\d{4,5}-\d\b|AIAST")
    for file in room.glob("*.py"):
        assert not systems.search(file.read_text()), file


def test_a_file_of_codes_that_lacks_one_names_it(tmp_path):
    own = tmp_path / "own.toml"
    text = SHIPPED.read_text()
    own.write_text(text.replace("[suspected-AML]", "[suspected-CML]"))
    with pytest.raises(CodesError, match="lacks table suspected-AML"):
        load_codes(own)
    own.write_text(text.replace('code = "5909-7"\n', ""))
    with pytest.raises(CodesError, match="missing required field `code`"):
        load_codes(own)
    with pytest.raises(CodesError, match="cannot be used"):
        load_codes(tmp_path / "nowhere.toml")
