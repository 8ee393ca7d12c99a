"""For programs: the worklist and a slide as JSON. Same sessions, same roles, same audit."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request

from cloud.page.asked import Asked
from cloud.page.door import note_page, reader
from cloud.page.lines import Line, listed
from cloud.page.noted import WORKLIST
from cloud.page.reading import Reading, case_now, reading, seen_by
from cloud.page.room import Room
from cloud.page.routes.worklist import asked
from cloud.page.slide_view import SlideView
from cloud.page.told import (
    ToldBin,
    ToldCell,
    ToldDifferential,
    ToldField,
    ToldLine,
    ToldModel,
    ToldSignature,
    ToldSlide,
    ToldWorklist,
)
from cloud.reports.facts import Differential, FieldFacts
from cloud.reviews.desk import Case
from cloud.reviews.entry import cell_names
from wire.words import RESEARCH_USE_ONLY


def api(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api")

    @routes.get("/worklist", dependencies=[Depends(reader)])
    async def worklist(request: Request, wanted: Annotated[Asked, Depends(asked)]) -> ToldWorklist:
        await note_page(room, request, "worklist-viewed", WORKLIST)
        return await asyncio.to_thread(_worklist, room, wanted)

    @routes.get("/slides/{site}/{slide}")
    async def slide(request: Request, mine: Annotated[Reading, Depends(reading)]) -> ToldSlide:
        case = await case_now(room, mine.key)
        await note_page(room, request, "slide-viewed", mine.key)
        view = await seen_by(room, case, mine.me)
        return await asyncio.to_thread(_slide, case, view)

    return routes


def _worklist(room: Room, wanted: Asked) -> ToldWorklist:
    found = listed(room.index, room.presence, wanted)
    after = found.next and wanted.query(after=found.next)
    return ToldWorklist(
        notice=RESEARCH_USE_ONLY,
        slides=[_line(line) for line in found.lines],
        next=f"/api/worklist{after}" if after else None,
        states=found.totals.states,
        waiting_by_urgency=found.totals.undone,
    )


def _line(line: Line) -> ToldLine:
    slide = line.slide
    return ToldLine(
        notice=RESEARCH_USE_ONLY,  # the counts are the machine's, also where a report is signed
        site=slide.site,
        slide=slide.slide,
        state=slide.state,
        preliminary=not line.signed,
        rank=slide.rank,
        urgency=slide.urgency,
        waiting_since=slide.waiting_since,
        waited_s=round(line.waited_s),
        done=slide.done,
        fields=slide.fields,
        later_fields=slide.later_fields,
        cells=slide.cells,
        counts=slide.counts,
        blasts_per_100=slide.blasts_per_100,
        blasts_interval=slide.blasts_interval,
        updated_at=slide.updated_at,
        reading=list(line.reading),
        page=f"/slides/{slide.site}/{slide.slide}",
    )


def _slide(case: Case, view: SlideView) -> ToldSlide:
    facts = view.facts
    return ToldSlide(
        notice=facts.notice,
        limitations=list(facts.limitations),
        site=facts.site,
        slide=facts.slide,
        state=facts.state,
        review=case.review.state,
        number=view.number,
        shown=view.shown,
        captured_from=facts.captured_from,
        captured_to=facts.captured_to,
        as_of=facts.as_of,
        machine=_differential(facts.machine),
        reader=None if facts.reader is None else _differential(facts.reader),
        flagged=view.flagged,
        seen=view.seen,
        unidentified_left=view.left,
        ready=view.ready,
        more_cells_for_5_points=view.more_cells,
        bins={bin_.label: ToldBin(cells=bin_.total, unseen=bin_.unseen) for bin_ in view.bins},
        later_fields=facts.later_fields,
        fields=[_field(field, view, facts.site) for field in view.fields],
        cells=list(_cells(case)),
        models=[ToldModel(**msgspec.structs.asdict(model)) for model in facts.models],
        signatures=[ToldSignature(**msgspec.structs.asdict(one)) for one in facts.signatures],
    )


def _differential(told: Differential) -> ToldDifferential:
    return ToldDifferential.model_validate(msgspec.to_builtins(told))


def _field(field: FieldFacts, view: SlideView, site: str) -> ToldField:
    return ToldField(
        name=field.name,
        device=field.device,
        captured_at=field.captured_at,
        cells=field.cells,
        width=field.width,
        height=field.height,
        image_sha256=field.image_sha256,
        problem=None if field.problem is None else field.problem.code,
        later=field.name in view.later,
        picture=f"/pictures/field/{site}/{field.name}",
    )


def _cells(case: Case) -> Iterator[ToldCell]:
    review = case.review
    for field, result in case.slide.results.items():
        for name, cell in zip(cell_names(result), result.cells, strict=True):
            yield ToldCell(
                name=name,
                field=field,
                box=(cell.box.x, cell.box.y, cell.box.w, cell.box.h),
                machine=cell.label,
                probability=cell.probability,
                probabilities=cell.probabilities,
                real=cell.real,
                reader=review.labels.get(name),
                seen=name in review.seen,
                waived=field in review.waived,
            )
