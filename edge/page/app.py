"""The page as an ASGI application."""

from fastapi import FastAPI

from edge.desk import Desk
from edge.page.guard import Guards
from edge.page.page import Page, open_page
from edge.page.routes.act import act
from edge.page.routes.enter import enter
from edge.page.routes.files import files
from edge.page.routes.problems import add_problems
from edge.page.routes.see import see
from edge.page.routes.watch import watch
from edge.settings import EdgeSettings


def create_app(desk: Desk, settings: EdgeSettings) -> FastAPI:
    """The application on a desk. Whoever stops it closes `app.state.page` first: streams end."""
    return app_of(open_page(desk, settings))


def app_of(page: Page) -> FastAPI:
    """The application around an opened page."""
    # No /docs and no /openapi.json: they would load scripts from elsewhere.
    app = FastAPI(title="leukoscope station", openapi_url=None)
    app.state.page = page
    add_problems(app, page)
    for routes in (see(page), watch(page), files(page), act(page), enter(page)):
        app.include_router(routes)
    app.add_middleware(
        Guards,
        settings=page.settings.page,
        sessions=page.sessions,
        locked=lambda: page.locked,
    )
    return app
