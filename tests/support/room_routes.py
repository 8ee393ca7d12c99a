"""All that the reading room's page answers to, with addresses that are filled in."""

import re
from collections.abc import Iterator

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


def paths(room: Room, method: str) -> Iterator[str]:
    """Of every route that takes this method, of the slide s1 where one is asked for."""
    for route in (route for make in ROUTES for route in make(room).routes):
        if isinstance(route, APIRoute) and method in route.methods:
            yield re.sub(r"\{(\w+)(?::\w+)?\}", lambda part: _PLACES.get(part[1], "x"), route.path)
