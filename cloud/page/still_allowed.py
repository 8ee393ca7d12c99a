"""Whether a reader may still do what waited for the store."""

import asyncio

import structlog

from cloud.accounts.database import Database
from cloud.accounts.people import Account
from cloud.accounts.standing import standing
from cloud.accounts.trouble import AccountsTroubleError
from cloud.reviews.desk import Ask
from cloud.reviews.entry import Action, Amend
from cloud.reviews.rules import ReviewRefused

_log = structlog.get_logger("cloud.page")


def amends(me: Account, *, second_reader: bool) -> bool:
    """Where two readers sign, one of them alone does not change what both have signed."""
    return me.role == "lead" or not second_reader


def still_allowed(database: Database, *, second_reader: bool) -> Ask:
    """Asks the accounts, for the desk. Who has signed out meanwhile still wanted what they did."""

    async def ask(reader: str, action: Action) -> None:
        try:
            me = await asyncio.to_thread(standing, database, reader)
        except AccountsTroubleError as error:
            _log.error("database_away", cause=str(error))
            raise ReviewRefused(
                "database-away",
                "The reading room's database does not answer, so nobody knows whether you may do "
                "this: nothing was written. Do it again in a moment.",
            ) from error
        if me is None or not _may(me, action, second_reader=second_reader):
            raise ReviewRefused(
                "no-longer-allowed",
                "Your account was disabled or given another role before this was written: nothing "
                "was. Ask an admin.",
            )

    return ask


def _may(me: Account, action: Action, *, second_reader: bool) -> bool:
    if isinstance(action, Amend) and not amends(me, second_reader=second_reader):
        return False
    return me.role in {"reader", "lead"}
