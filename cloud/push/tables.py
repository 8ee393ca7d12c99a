"""Tables in the accounts database: devices that want to be told, and what was told."""

from typing import Final

import sqlalchemy as sa

from cloud.accounts.tables import NAME

metadata: Final = sa.MetaData()

devices: Final = sa.Table(
    "push_devices",
    metadata,
    # SHA-256 of the endpoint, hex: an endpoint is up to 2048 characters long, too many for a key.
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("account", NAME, nullable=False, index=True),
    # SHA-256 of the session that asked for it, hex: signing out there ends it.
    sa.Column("session", sa.String(64), nullable=False, index=True),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("p256dh", sa.String(128), nullable=False),
    sa.Column("auth", sa.String(64), nullable=False),
    # The room's public key that the browser was given: with another one the service refuses.
    sa.Column("room_key", sa.String(128), nullable=False),
    # Seconds since 1970. `due`: when it is to be told next; none: there is nothing to tell.
    sa.Column("due", sa.Double),
    sa.Column("told", sa.Double),
    sa.Column("tries", sa.Integer, nullable=False),
)

said: Final = sa.Table(
    "push_said",
    metadata,
    sa.Column("site", sa.String(63), primary_key=True),
    sa.Column("slide", sa.String(63), primary_key=True),
    sa.Column("why", sa.String(16), primary_key=True),
    # Of the entry that asks for a second reader; 0 for what no entry asks for.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
)
