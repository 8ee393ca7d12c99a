import threading

import pytest
import sqlalchemy as sa
from accounts_end import both
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from cloud.accounts.names import alike, checked, usable
from cloud.accounts.people import Account, Accounts
from cloud.accounts.tables import accounts as table
from cloud.accounts.trouble import AccountRefused, AccountsTroubleError
from wire.web.hashing import PasswordBusy

PASSWORD = "seven smears in a row"  # noqa: S105  # of nobody
OIDC = ("https://provider.example", "subject-17")


def refused(reason):
    """An `AccountRefused` of this reason."""
    return pytest.raises(AccountRefused, check=lambda error: error.reason == reason)


@both
def test_who_was_added_comes_in_by_the_password_and_no_other(accounts):
    accounts.add("Ada Reader", "reader", PASSWORD)
    assert accounts.check_password("Ada Reader", PASSWORD) == Account("Ada Reader", "reader")
    assert accounts.check_password("Ada Reader", PASSWORD + "x") is None
    assert accounts.check_password("Ada Reader", "") is None


def test_a_name_is_found_in_any_case_and_answers_as_it_was_given(accounts):
    accounts.add("Ada Reader", "lead", PASSWORD)
    assert accounts.check_password("ada READER", PASSWORD) == Account("Ada Reader", "lead")


@both
@pytest.mark.parametrize("name", ["Ada Reader", "ada reader", "ＡＤＡ reader"])
def test_a_name_is_never_given_to_another_even_when_its_owner_is_gone(accounts, name):
    accounts.add("Ada Reader", "reader", PASSWORD)
    accounts.disable("Ada Reader")
    with refused("name-taken"):
        accounts.add(name, "lead", PASSWORD)
    assert [account.name for account in accounts.list()] == ["Ada Reader"]


def test_there_is_no_way_to_delete_an_account():
    assert not [name for name in dir(Accounts) if "delete" in name or "remove" in name]


@pytest.mark.parametrize(
    "name",
    ["", " ", "Ada ", " Ada", "Ada  Reader", "Ada\nReader", "Ada\x00", "Ada\u202eredaeR", "x" * 65,
     "Ada\u00a0Reader", "\ufdfa" * 64, "\ud800"],
)  # fmt: skip
def test_a_name_that_could_not_stand_in_a_chain_is_refused(accounts, name):
    with refused("name-unusable"):
        accounts.add(name, "reader", PASSWORD)
    assert accounts.check_password(name, PASSWORD) is None
    assert accounts.list() == []


@both
def test_the_longest_name_is_kept_whole(accounts):
    accounts.add("é" * 64, "reader", PASSWORD)
    assert accounts.check_password("é" * 64, PASSWORD).name == "é" * 64


@given(st.text(max_size=80))
def test_a_usable_name_is_kept_as_it_was_typed_and_looks_like_itself(name):
    if usable(name):
        kept = checked(name)
        assert usable(kept)
        assert checked(kept) == kept
        assert alike(kept) == alike(name)


def test_a_role_that_is_none_is_refused_and_the_roles_are_told(accounts):
    with pytest.raises(AccountRefused, match="reader, lead, admin"):
        accounts.add("Ada", "boss", PASSWORD)
    accounts.add("Ada", "reader", PASSWORD)
    with refused("role-unknown"):
        accounts.change_role("Ada", "boss")


@pytest.mark.parametrize("password", ["123456789", "x" * 201])
def test_a_password_has_ten_to_two_hundred_characters(accounts, password):
    with pytest.raises(AccountRefused, match="10 to 200 characters"):
        accounts.add("Ada", "reader", password)
    accounts.add("Ada", "reader", PASSWORD)
    with refused("password-unusable"):
        accounts.set_password("Ada", password)
    assert accounts.check_password("Ada", PASSWORD)


def test_an_account_without_any_way_in_is_refused(accounts):
    with refused("no-way-in"):
        accounts.add("Ada", "reader")


@both
def test_who_is_disabled_comes_in_by_neither_way_until_enabled_again(accounts):
    accounts.add("Ada", "reader", PASSWORD, OIDC)
    accounts.disable("Ada")
    assert accounts.check_password("Ada", PASSWORD) is None
    assert accounts.by_oidc(*OIDC) is None
    accounts.enable("Ada")
    assert accounts.check_password("Ada", PASSWORD) == Account("Ada", "reader")
    assert accounts.by_oidc(*OIDC) == Account("Ada", "reader")


@both
def test_a_subject_opens_one_account_of_one_issuer(accounts):
    accounts.add("Ada", "reader", oidc=OIDC)
    assert accounts.by_oidc(*OIDC) == Account("Ada", "reader")
    assert accounts.by_oidc("https://another.example", OIDC[1]) is None
    assert accounts.by_oidc(OIDC[0], OIDC[1].upper()) is None
    with refused("subject-taken"):
        accounts.add("Ben", "reader", PASSWORD, OIDC)
    accounts.add("Cora", "reader", oidc=("https://another.example", OIDC[1]))


def test_without_a_password_no_password_fits_not_even_none(accounts):
    accounts.add("Ada", "reader", oidc=OIDC)
    for tried in ("", PASSWORD, "a password that opens nothing"):
        assert accounts.check_password("Ada", tried) is None


def test_a_new_password_closes_the_old_one_out(accounts):
    accounts.add("Ada", "reader", PASSWORD)
    accounts.set_password("Ada", "another seven smears")
    assert accounts.check_password("Ada", PASSWORD) is None
    assert accounts.check_password("Ada", "another seven smears")


@both
@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.disable("Nobody"),
        lambda accounts: accounts.enable("Nobody"),
        lambda accounts: accounts.change_role("Nobody", "lead"),
        lambda accounts: accounts.set_password("Nobody", PASSWORD),
        lambda accounts: accounts.disable("Nobody\x00"),
    ],
)
def test_changing_an_account_that_is_not_there_says_so(accounts, change):
    with refused("account-unknown"):
        change(accounts)


@both
def test_the_list_tells_how_each_comes_in(accounts):
    accounts.add("cora", "admin", PASSWORD)
    accounts.add("Ben", "lead", oidc=OIDC)
    accounts.add("Ada", "reader", PASSWORD, ("https://provider.example", "subject-18"))
    accounts.disable("Ben")
    told = [(a.name, a.role, a.disabled, a.has_password, a.subject) for a in accounts.list()]
    assert told == [
        ("Ada", "reader", False, True, "subject-18"),
        ("Ben", "lead", True, False, "subject-17"),
        ("cora", "admin", False, True, None),
    ]


def test_the_database_holds_no_password(accounts, database):
    accounts.add("Ada", "reader", PASSWORD)
    with database.reading() as connection:
        (kept,) = connection.scalars(sa.select(table.c.password))
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


def test_an_unknown_name_costs_the_same_work_as_a_wrong_password(accounts, monkeypatch):
    accounts.add("Ada", "reader", PASSWORD)
    accounts.add("Ben", "reader", oidc=OIDC)
    worked = []
    real = PasswordHasher.verify

    def counted(self, kept, password):
        worked.append(self.check_needs_rehash(kept))
        return real(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for name in ("Ada", "Ben", "Nobody", "No\x00body", ""):
        assert accounts.check_password(name, "wrong wrong wrong") is None
    assert worked == [False] * 5  # once each, with today's parameters


@both
def test_a_hash_of_less_work_is_renewed_at_the_next_login_and_signs_nobody_out(
    accounts, database, sessions
):
    account = accounts.add("Ada", "reader", PASSWORD)
    dated = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash(PASSWORD)
    with database.writing() as connection:
        connection.execute(sa.update(table).values(password=dated))
    session = sessions.enter(account)
    assert accounts.check_password("Ada", "wrong wrong wrong") is None
    assert accounts.check_password("Ada", PASSWORD)
    with database.reading() as connection:
        (kept,) = connection.scalars(sa.select(table.c.password))
    assert kept != dated
    assert "t=1" in kept
    assert accounts.check_password("Ada", PASSWORD)
    assert sessions.of(session) == account


def test_a_damaged_hash_is_told_and_lets_nobody_in(accounts, database):
    accounts.add("Ada", "reader", PASSWORD)
    with database.writing() as connection:
        connection.execute(sa.update(table).values({table.c.password: "damaged"}))
    with pytest.raises(AccountsTroubleError, match="user password"):
        accounts.check_password("Ada", PASSWORD)
    accounts.set_password("Ada", PASSWORD)
    assert accounts.check_password("Ada", PASSWORD)


def test_logins_beyond_the_queue_are_told_to_wait_and_hold_no_thread(accounts, monkeypatch):
    accounts.add("Ada", "reader", PASSWORD)
    go_on, at_work = threading.Event(), threading.Semaphore(0)

    def slow(self, kept, password):
        at_work.release()
        return go_on.wait(20)

    monkeypatch.setattr(PasswordHasher, "verify", slow)
    threads = [
        threading.Thread(target=lambda: accounts.check_password("Ada", PASSWORD)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert at_work.acquire(timeout=10)
    for _ in range(6):
        assert accounts._hashing._queue.acquire(blocking=False)
    with pytest.raises(PasswordBusy):
        accounts.check_password("Ada", PASSWORD)
    go_on.set()
    for thread in threads:
        thread.join(10)


def test_hashes_cost_what_rfc_9106_asks_where_memory_is_small():
    # Not through `wire.web.hashing`, where these tests make it cheap.
    assert "$m=65536,t=3,p=4$" in PasswordHasher().hash(PASSWORD)
