"""Devices that want to be told when a slide needs somebody. Asked by push.js, in JSON."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.accounts.people import Account
from cloud.page.door import note, reader
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.push.endpoints import PushRefused, Subscription
from cloud.push.push import Push


class Here(BaseModel):
    """The device that asks."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str = Field(max_length=2048)


class Which(BaseModel):
    """The device that is to be left alone; none: every device of the account."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str | None = Field(None, max_length=2048)


def push(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/push")
    Reader = Annotated[Account, Depends(reader)]  # noqa: N806  # a type

    @routes.get("/key", dependencies=[Depends(reader)])
    def key() -> dict[str, str]:
        return {"key": _on(room).key}

    @routes.post("/here")
    def here(request: Request, who: Reader, device: Here) -> dict[str, bool]:
        session: str = request.state.session
        return {"told": _on(room).devices.holds(who.name, session, device.endpoint)}

    @routes.post("/subscribe", status_code=204)
    async def subscribe(request: Request, who: Reader, subscription: Subscription) -> Response:
        session: str = request.state.session
        pushing = _on(room)
        try:
            pushing.check(subscription)
            await note(room, request, "push-on")
            await asyncio.to_thread(pushing.subscribe, who.name, session, subscription)
        except PushRefused as refusal:
            raise PageRefused(409, refusal.code, str(refusal)) from refusal
        return Response(None, 204)

    @routes.post("/unsubscribe", status_code=204)
    async def unsubscribe(request: Request, who: Reader, which: Which) -> Response:
        pushing = _on(room)
        await note(room, request, "push-off", detail="" if which.endpoint else "devices=all")
        await asyncio.to_thread(pushing.unsubscribe, who.name, which.endpoint)
        return Response(None, 204)

    return routes


def _on(room: Room) -> Push:
    if room.push is None:
        raise PageRefused(
            404,
            "push-off",
            "This reading room tells no devices.",
            "Whoever runs it turns that on by the settings push_key and push_contact.",
        )
    return room.push
