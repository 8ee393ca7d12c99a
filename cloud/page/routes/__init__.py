"""The page's routes. Each file has `X(room) -> APIRouter`, which app.py lists."""
