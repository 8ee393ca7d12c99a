"""How an account stands now, for what is done long after its session was looked at."""

import sqlalchemy as sa

from cloud.accounts.database import Database
from cloud.accounts.people import Account
from cloud.accounts.tables import accounts


def standing(database: Database, name: str) -> Account | None:
    """The account of exactly this name; None where it is disabled, or there is none.

    Raises:
        AccountsTroubleError: the database does not answer.
    """
    query = sa.select(accounts.c.name, accounts.c.role)
    query = query.where(accounts.c.name == name, accounts.c.disabled == sa.false())
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Account(row.name, row.role)
