"""What the station's page and the reading room's page share; nothing else in `wire` knows of it.

Guards as ASGI middleware, settings of a page that is served, and the static files both use.
"""
