"""What can be watched: the events, the preview, the captured frames."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response, StreamingResponse

from edge.page.eye import BOUNDARY
from edge.page.page import Page
from edge.page.placeholder import placeholder

CaptureId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


def watch(page: Page) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    def looker(request: Request) -> Callable[[], bool]:
        """Whether the stream of this request may still be looked at."""
        session = request.state.session
        return lambda: not page.locked or page.sessions.may_look(session)

    @routes.get("/events")
    async def events(request: Request) -> StreamingResponse:
        return StreamingResponse(page.live.events(looker(request)), media_type="text/event-stream")

    @routes.get("/preview.mjpeg")
    async def preview(request: Request) -> StreamingResponse:
        return StreamingResponse(
            page.eye.stream(looker(request)),
            media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}",
        )

    @routes.get("/preview.jpg")
    def picture() -> Response:
        return Response(page.eye.picture(), media_type="image/jpeg")

    @routes.get("/frame/{capture_id}.jpg")
    def frame(capture_id: CaptureId) -> Response:
        jpeg = page.desk.frame(capture_id)
        if jpeg is None:
            gone = placeholder("This picture is no longer on the station.", "")
            return Response(gone, 404, media_type="image/jpeg")
        # It never changes, and the list that shows it is swapped at every step of a capture.
        kept = {"Cache-Control": "private, max-age=3600, immutable"}
        return Response(jpeg, headers=kept, media_type="image/jpeg")

    return routes
