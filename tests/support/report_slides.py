"""Slides at every stage of their reading, for tests of reports."""

from contextlib import asynccontextmanager

from reading_desk import room, run

from cloud.reports.gather import report_facts
from cloud.reviews.entry import Comment, Reclassify, See, Waive
from wire.messages import Quality

STAGES = ("open", "in review", "signed", "amended", "proposed", "signed by two")
LATER = 9
"""Number of the field that comes after the signature."""


async def _read_through(here):
    await here.do(See(await here.cells("ALL")))
    smudge = await here.cells("AML")
    await here.do(Reclassify(smudge, "excluded"))
    await here.do(Comment("a smudge <b>", smudge))
    await here.do(Waive("too pale to name"))


@asynccontextmanager
async def at_stage(stage):
    """A room whose slide s1 has come this far; its third field is out of focus."""
    two = stage in {"proposed", "signed by two"}
    async with room([["ALL", "Normal"], ["unidentified", "Normal"]], second_reader=two) as here:
        blurred = Quality(0.01, 0.7, 0.0, 1.0, 0.4)
        await here.field(2, ["Normal", "AML", "Normal"], quality=blurred)
        if stage != "open":
            await _read_through(here)
        if two:
            await here.sign("ada")
        if stage == "signed by two":
            await here.sign("grace")
        if stage in {"signed", "amended"}:
            await here.sign("grace")
            await here.field(LATER, ["Normal"])
        if stage == "amended":
            pale = await here.cells("unidentified")
            await here.amend("looked again", [Reclassify(pale, "ALL")], reader="ada")
        yield here


def case_of(stage):
    async def load():
        async with at_stage(stage) as here:
            return await here.case()

    return run(load())


def facts_of(stage, number=None):
    return report_facts(case_of(stage), number)
