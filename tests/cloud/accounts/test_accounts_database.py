import threading

import pytest
import sqlalchemy as sa
from accounts_end import both

from cloud.accounts.database import Database
from cloud.accounts.people import Accounts
from cloud.accounts.tables import VERSION, about
from cloud.accounts.trouble import AccountsTroubleError
from cloud.index.index import Index

PASSWORD = "seven smears in a row"  # noqa: S105  # of nobody


@both
def test_it_is_made_once_and_opened_again_with_all_that_is_in_it(url):
    first = Database(url)
    Accounts(first).add("Ada", "reader", PASSWORD)
    first.close()
    second = Database(url)
    assert Accounts(second).check_password("Ada", PASSWORD)
    assert second.secret == first.secret
    second.close()


@both
def test_programs_that_make_it_at_the_same_moment_make_one(url):
    opened, failed = [], []

    def make():
        try:
            opened.append(Database(url))
        except Exception as error:  # noqa: BLE001  # told below
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len({database.secret for database in opened}) == 1
    for database in opened:
        database.close()


def test_the_database_of_another_version_is_refused_and_left_alone(url):
    database = Database(url)
    Accounts(database).add("Ada", "reader", PASSWORD)
    with database.writing() as connection:
        connection.execute(sa.update(about).values(version=VERSION + 1))
    database.close()
    with pytest.raises(AccountsTroubleError, match=f"version {VERSION + 1}"):
        Database(url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.update(about).values(version=VERSION))
    engine.dispose()
    again = Database(url)
    assert Accounts(again).check_password("Ada", PASSWORD)
    again.close()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite:////nowhere/at/all/accounts.sqlite", "check accounts_url"),
        ("mysql://somewhere", "check accounts_url"),
        ("no url", "check accounts_url"),
        ("postgresql+psycopg://me:secret@127.0.0.1:9/x", "check accounts_url"),
    ],
    indirect=[],
)
def test_a_database_that_cannot_be_used_names_the_setting_and_no_password(url, complaint):
    with pytest.raises(AccountsTroubleError, match=complaint) as told:
        Database(url)
    assert "secret" not in str(told.value)


def test_it_may_lie_beside_the_projection_which_is_thrown_away_without_it(url):
    database = Database(url)
    Accounts(database).add("Ada", "reader", PASSWORD)
    index = Index(url)
    with index.engine.begin() as connection:
        connection.execute(sa.text("UPDATE about SET version = 0"))
    index.close()
    Index(url).close()  # another version: it makes itself anew
    assert Accounts(database).check_password("Ada", PASSWORD)
    database.close()


def test_trouble_is_told_without_what_was_to_be_written(url):
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE sessions"))
        connection.execute(sa.text("DROP TABLE accounts"))
    with pytest.raises(AccountsTroubleError, match="does not answer") as told:
        Accounts(database).add("Ada", "reader", PASSWORD)
    assert "Ada" not in str(told.value)
    assert "argon2" not in str(told.value)
    database.close()
