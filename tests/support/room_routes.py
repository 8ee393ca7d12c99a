"""All that the reading room's page answers to, with addresses that are filled in."""

import re

from fastapi.routing import APIRoute
from slide_results import capture_id

from cloud.page.app import ROUTES
from cloud.page.room import Room

_PLACES = {
    "site": "home",
    "slide": "s1",
    "device": "scope-1",
    "capture": capture_id(0),
    "n": "0",
    "name": "ada",
}
_ROUTES: list[APIRoute] = []


def paths(room: Room, method: str) -> list[str]:
    """Of every route that takes this method, of the slide s1 where one is asked for."""
    if not _ROUTES:  # the same in every room, and slow to make
        _ROUTES.extend(route for make in ROUTES for route in make(room).routes)
    return [
        re.sub(r"\{(\w+)(?::\w+)?\}", lambda part: _PLACES.get(part[1], "x"), route.path)
        for route in _ROUTES
        if method in route.methods
    ]
