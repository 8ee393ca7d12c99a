"""The spool's tables. Their order is kept: `rescue` relies on where SQLite puts their roots."""

from typing import Final, TypeAlias

COLUMNS: Final = "capture_id, slide, saved_at, sha256, state, reason, detail, payload"
"""Of a frame, but for its row id."""

Row: TypeAlias = tuple[str, str, float, str, str, str, str, bytes]
"""A frame's columns in that order."""

SCHEMA_SQL: Final = """
CREATE TABLE IF NOT EXISTS frames (
    id INTEGER PRIMARY KEY,
    capture_id TEXT NOT NULL UNIQUE,
    slide TEXT NOT NULL,
    saved_at REAL NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'refused')),
    reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS frames_by_payload ON frames (sha256);
CREATE INDEX IF NOT EXISTS frames_by_state ON frames (state, id);
CREATE TABLE IF NOT EXISTS ended (
    capture_id TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO marks VALUES ('retry', 0);
"""
