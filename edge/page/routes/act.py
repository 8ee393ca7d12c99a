"""What can be done. Each answers with the parts it changed, or with why it was refused."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from edge.page.page import Page
from edge.page.routes.answers import done


def act(page: Page) -> APIRouter:
    """The routes. None of them is async: the desk's work takes its time, on a thread."""
    routes = APIRouter()
    desk = page.desk

    @routes.post("/slide/start")
    def start_slide(accession: Annotated[str, Form(max_length=200)]) -> HTMLResponse:
        desk.start_slide(accession, "page")
        return done(page)

    @routes.post("/barcode")
    def start_barcode() -> HTMLResponse:
        desk.start_barcode("page")
        return done(page)

    @routes.post("/slide/end")
    def end_slide() -> HTMLResponse:
        desk.end_slide("page")
        return done(page)

    @routes.post("/capture")
    def capture(count: Annotated[int | None, Form(ge=1, le=20)] = None) -> HTMLResponse:
        desk.capture("page", count=count)
        return done(page)

    @routes.post("/autofocus")
    def autofocus() -> HTMLResponse:
        desk.autofocus("page")
        return done(page)

    @routes.post("/scan/start")
    def start_scan(
        cells: Annotated[int, Form(ge=1, le=10_000)],
        resume: Annotated[bool, Form()] = True,  # a form field
    ) -> HTMLResponse:
        desk.start_scan("page", cells, resume=resume)
        return done(page)

    @routes.post("/scan/stop")
    def stop_scan() -> HTMLResponse:
        desk.stop_scan("page")
        return done(page)

    @routes.post("/calibrate")
    def calibrate(to_glass: Annotated[bool, Form()] = False) -> HTMLResponse:  # a form field
        desk.calibrate("page", to_glass=to_glass)
        return done(page)

    return routes
