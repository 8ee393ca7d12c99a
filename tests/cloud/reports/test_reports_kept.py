import pytest
from reading_desk import run
from report_slides import at_stage

from cloud.reports.fhir.check import check_bundle
from cloud.reports.fhir.codes import SHIPPED, load_codes
from cloud.reports.gather import ReportError, report_facts
from cloud.reports.keep import keep_fhir
from cloud.stores import keys


def test_a_signed_report_is_kept_under_its_slide_and_a_repeat_changes_nothing():
    async def check():
        async with at_stage("signed") as here:
            case = await here.case()
            kept = await keep_fhir(here.objects, case)
            assert kept == (keys.report("home", "s1", 5, "fhir.json"), True, True)
            assert kept.key == "slides/home/s1/reports/000005.fhir.json"
            check_bundle(await here.objects.get(kept.key), facts=report_facts(case))
            assert await keep_fhir(here.objects, await here.case()) == (kept.key, False, True)
            assert len((await here.case()).slide.results) == 4, "a report is no field"

    run(check())


def test_an_amendment_is_kept_beside_the_earlier_report_which_can_still_be_written():
    async def check():
        async with at_stage("amended") as here:
            case = await here.case()
            amended = await keep_fhir(here.objects, case)
            first = await keep_fhir(here.objects, case, number=5)
            assert [amended.key[-16:], first.key[-16:]] == ["000006.fhir.json", "000005.fhir.json"]
            check_bundle(await here.objects.get(first.key), facts=report_facts(case, 5))

    run(check())


def test_what_was_kept_stands_when_other_codes_would_say_it_otherwise(tmp_path):
    async def check():
        async with at_stage("signed") as here:
            case = await here.case()
            kept = await keep_fhir(here.objects, case)
            before = await here.objects.get(kept.key)
            own = tmp_path / "own.toml"
            own.write_text(SHIPPED.read_text().replace("leukoscope.invalid", "lab.example"))
            assert await keep_fhir(here.objects, case, load_codes(own)) == (kept.key, False, False)
            assert await here.objects.get(kept.key) == before

    run(check())


def test_what_nobody_signed_is_not_kept():
    async def check():
        async with at_stage("in review") as here:
            with pytest.raises(ReportError, match="nobody has signed"):
                await keep_fhir(here.objects, await here.case())
            assert not [key for key in await here.objects.sizes("slides/") if "reports" in key]

    run(check())
