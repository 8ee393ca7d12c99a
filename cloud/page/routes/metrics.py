"""Counts for a monitor."""

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cloud.page.room import Room


def metrics(room: Room) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get("/metrics")
    def told() -> Response:
        """Numbers only: no slide, no reader."""
        said = generate_latest(room.after.metrics.registry)
        if room.push is not None:
            said += generate_latest(room.push.metrics.registry)
        return Response(said, media_type=CONTENT_TYPE_LATEST)

    return routes
