"""Tables of accounts, sessions and the audit log: unlike the projection's, the only copy."""

from typing import Final

import sqlalchemy as sa

from cloud.accounts.names import LONGEST, LONGEST_ALIKE
from cloud.index.tables import Moment

VERSION: Final = 1
"""Of these tables. A database of another version is refused: it is never thrown away."""

NAME: Final = sa.String(LONGEST)

metadata: Final = sa.MetaData()

about: Final = sa.Table(
    "accounts_about",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    # Signs cookies and tokens; here, so that a restart signs nobody out.
    sa.Column("secret", sa.LargeBinary(32), nullable=False),
)

accounts: Final = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    # The name in the form in which two that look the same are the same; see `names.alike`.
    sa.Column("alike", sa.String(LONGEST_ALIKE), nullable=False, unique=True),
    sa.Column("role", sa.String(10), nullable=False),
    # An argon2 hash; empty where the provider alone lets in.
    sa.Column("password", sa.String(200), nullable=False),
    sa.Column("issuer", sa.String(300)),
    sa.Column("subject", sa.String(255)),
    sa.Column("disabled", sa.Boolean, nullable=False),
    # Goes up with role, password, subject and disabling; sessions of an earlier one are over.
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.UniqueConstraint("issuer", "subject"),
)

sessions: Final = sa.Table(
    "sessions",
    metadata,
    # SHA-256 of the session's id: who reads the database cannot make a cookie of it.
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", NAME, sa.ForeignKey("accounts.name"), nullable=False, index=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("pressed_at", Moment, nullable=False),
)

oidc_logins: Final = sa.Table(
    "oidc_logins",
    metadata,
    # SHA-256 of `state`; the row goes when it is used, so none is used twice.
    sa.Column("id", sa.String(64), primary_key=True),
    # SHA-256 of what the browser's own cookie holds: nobody finishes a login that another began.
    sa.Column("browser", sa.String(64), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("verifier", sa.String(128), nullable=False),
    # The path that was asked for.
    sa.Column("after", sa.String(300), nullable=False),
    sa.Column("began_at", Moment, nullable=False),
)

audit: Final = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", NAME, nullable=False),
    sa.Column("did", sa.String(40), nullable=False),
    sa.Column("account", NAME, nullable=False),
    sa.Column("site", sa.String(63), nullable=False),
    sa.Column("slide", sa.String(63), nullable=False),
    sa.Column("detail", sa.String(200), nullable=False),
    sa.Column("address", sa.String(80), nullable=False),
    sa.Column("before", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Index("audit_slide", "slide", "number"),
    sa.Index("audit_who", "who", "number"),
    sa.Index("audit_account", "account", "number"),
)

audit_head: Final = sa.Table(
    "audit_head",
    metadata,
    # One row: where the chain ends. Writers take turns at it.
    sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)


def _only_grows(dialect: str, *statements: str) -> None:
    """Have the database itself refuse what is no appending."""
    for statement in statements:
        command = sa.DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped
            statement
        ).execute_if(dialect=dialect)
        sa.event.listen(audit, "after_create", command)


_only_grows(
    "sqlite",
    *(
        f"CREATE TRIGGER audit_no_{act} BEFORE {act} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        for act in ("update", "delete")
    ),
)
_only_grows(
    "postgresql",
    "CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$",
    "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()",
)
