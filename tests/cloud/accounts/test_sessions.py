import pytest
import sqlalchemy as sa
from accounts_end import both

from cloud.accounts.database import Database
from cloud.accounts.sessions import Sessions
from cloud.accounts.tables import sessions as table
from cloud.accounts.trouble import AccountRefused

PASSWORD = "seven smears in a row"  # noqa: S105  # of nobody


@pytest.fixture
def ada(accounts):
    return accounts.add("Ada", "reader", PASSWORD)


@both
def test_who_enters_is_known_by_the_session(sessions, ada):
    session = sessions.enter(ada)
    assert sessions.of(session) == ada


@both
@pytest.mark.parametrize("session", [None, "", "x", "ü", "\x00", "\ud800" * 3])
def test_a_session_that_nobody_entered_is_nobodys(sessions, session):
    assert sessions.of(session) is None
    assert sessions.of(sessions.new()) is None


def test_the_cookie_gives_the_session_back_and_only_unaltered(sessions, ada):
    session = sessions.enter(ada)
    cookie = sessions.cookie(session)
    assert sessions.of_cookie(cookie) == session
    for wrong in ("", session, cookie[:-1], "x" + cookie, cookie + "x", "\ud800", "ü." + cookie):
        assert sessions.of_cookie(wrong) is None


@both
def test_a_session_is_over_after_half_an_hour_without_a_press(sessions, ada, clock):
    session = sessions.enter(ada)
    clock.go(1799)
    assert sessions.of(session) == ada
    clock.go(2)
    assert sessions.of(session) is None
    sessions.pressed(session)  # too late
    assert sessions.of(session) is None


@both
def test_presses_keep_it_and_looking_does_not(sessions, ada, clock):
    pressed, looked = sessions.enter(ada), sessions.enter(ada)
    for _ in range(4):
        clock.go(600)
        sessions.pressed(pressed)
        sessions.of(looked)
    assert sessions.of(pressed) == ada
    assert sessions.of(looked) is None


def test_however_busy_it_ends_after_twelve_hours(sessions, ada, clock):
    session = sessions.enter(ada)
    for _ in range(12 * 6):
        clock.go(600)
        sessions.pressed(session)
    assert sessions.of(session) == ada
    clock.go(1)
    assert sessions.of(session) is None


def test_many_presses_are_one_write_in_twenty_seconds(sessions, ada, clock, database):
    session = sessions.enter(ada)
    written = []
    sa.event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, *_: written.append(statement.split()[0]),
    )
    for _ in range(20):
        clock.go(2)
        sessions.pressed(session)
    assert written.count("UPDATE") == 1


@both
@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.disable("Ada"),
        lambda accounts: accounts.change_role("Ada", "lead"),
        lambda accounts: accounts.set_password("Ada", "another seven smears"),
    ],
    ids=["disabled", "role", "password"],
)
def test_a_change_of_the_account_ends_all_its_sessions_and_no_others(
    accounts, sessions, ada, change
):
    ben = accounts.add("Ben", "reader", PASSWORD)
    hers, also_hers, his = sessions.enter(ada), sessions.enter(ada), sessions.enter(ben)
    change(accounts)
    assert sessions.of(hers) is None
    assert sessions.of(also_hers) is None
    assert sessions.of(his) == ben


def test_enabling_again_does_not_bring_old_sessions_back(accounts, sessions, ada):
    session = sessions.enter(ada)
    accounts.disable("Ada")
    accounts.enable("Ada")
    assert sessions.of(session) is None
    assert sessions.of(sessions.enter(ada)) == ada


def test_who_is_disabled_while_the_password_was_checked_does_not_come_in(accounts, sessions, ada):
    accounts.disable("Ada")
    with pytest.raises(AccountRefused, match="disabled"):
        sessions.enter(ada)


def test_leaving_ends_this_session_only(sessions, ada):
    left, kept = sessions.enter(ada), sessions.enter(ada)
    sessions.leave(left)
    assert sessions.of(left) is None
    assert sessions.of(kept) == ada


@both
def test_a_restart_and_a_second_server_sign_nobody_out(sessions, ada, url, clock):
    session = sessions.enter(ada)
    cookie, token = sessions.cookie(session), sessions.csrf(session)
    again = Database(url)
    other = Sessions(again, 1800, 43_200, clock)
    assert other.of(other.of_cookie(cookie)) == ada
    assert other.csrf_fits(session, token)
    other.leave(session)
    assert sessions.of(session) is None
    again.close()


def test_the_database_holds_no_session_that_a_thief_could_use(sessions, ada, database):
    session = sessions.enter(ada)
    with database.reading() as connection:
        (kept,) = connection.scalars(sa.select(table.c.id))
    assert session not in kept
    assert sessions.of(kept) is None


def test_a_token_fits_its_session_only(sessions):
    one, other = sessions.new(), sessions.new()
    token = sessions.csrf(one)
    assert sessions.csrf_fits(one, token)
    assert not sessions.csrf_fits(other, token)
    for wrong in ("", token[:-1], token + "x", "ü", sessions.cookie(one).rpartition(".")[2]):
        assert not sessions.csrf_fits(one, wrong)


def test_no_token_is_a_cookie(sessions):
    session = sessions.new()
    assert sessions.of_cookie(f"{session}.{sessions.csrf(session)}") is None


@both
def test_an_account_has_twenty_browsers_at_most_and_the_idlest_goes(sessions, ada, clock):
    first = sessions.enter(ada)
    later = []
    for _ in range(20):
        clock.go(30)
        later.append(sessions.enter(ada))
    assert sessions.of(first) is None
    assert all(sessions.of(session) == ada for session in later)


@both
def test_sessions_that_are_over_are_swept_away(sessions, ada, clock, database):
    for _ in range(3):
        sessions.enter(ada)
    clock.go(4000)
    sessions.enter(ada)
    with database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 1
