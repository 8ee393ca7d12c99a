import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from accounts_end import both
from rig import until

from cloud.accounts.audit import Audit, Wanted
from cloud.accounts.chain import Head
from cloud.accounts.database import Database
from cloud.accounts.tables import audit as table
from cloud.accounts.tables import audit_head
from cloud.accounts.trouble import AccountsTroubleError


def told(lines):
    return [(line.number, line.who, line.did, line.slide) for line in lines]


@pytest.fixture
def written(audit):
    """Six lines of three people on two slides."""
    audit.note("", "login-refused", address="192.0.2.7", account="Ada")
    audit.note("Ada", "login", address="192.0.2.7")
    audit.note("Ada", "slide-viewed", "clinic", "s1", address="192.0.2.7")
    audit.note("Ada", "cells-reclassified", "clinic", "s1", "cells=3 label=AML")
    audit.note("Ben", "slide-viewed", "clinic", "s2")
    audit.note("root", "account-disabled", account="Ben")
    return audit


@both
def test_lines_are_read_as_they_were_written(written):
    line = list(written.lines())[3]
    assert (line.number, line.who, line.did) == (4, "Ada", "cells-reclassified")
    assert (line.site, line.slide, line.detail) == ("clinic", "s1", "cells=3 label=AML")
    assert abs(datetime.now(UTC) - line.at) < timedelta(minutes=1)
    assert written.verify() == []
    assert written.head() == Head(6, list(written.lines())[-1].digest)


@both
@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [1, 2, 3, 4, 5, 6]),
        (Wanted(slide="s1"), [3, 4]),
        (Wanted(who="Ada"), [1, 2, 3, 4]),
        (Wanted(who="Ben"), [5, 6]),
        (Wanted(site="clinic", who="Ben"), [5]),
        (Wanted(did="login"), [2]),
        (Wanted(since=datetime.now(UTC) + timedelta(hours=1)), []),
        (Wanted(since=datetime(2020, 1, 1, tzinfo=UTC)), [1, 2, 3, 4, 5, 6]),
        (Wanted(slide="s"), []),
    ],
)
def test_lines_are_found_by_slide_reader_deed_and_time(written, wanted, numbers):
    assert [line.number for line in written.lines(wanted)] == numbers
    assert [line.number for line in written.page(wanted)] == numbers[::-1]


@both
def test_pages_go_from_the_latest_back_without_gap_or_repeat(written):
    first = written.page(Wanted(), size=4)
    second = written.page(Wanted(), before=first[-1].number, size=4)
    assert [line.number for line in first + second] == [6, 5, 4, 3, 2, 1]


def test_many_lines_are_read_whole(audit, monkeypatch):
    monkeypatch.setattr("cloud.accounts.audit._PAGE", 3)
    for number in range(7):
        audit.note("Ada", "slide-viewed", "clinic", f"s{number}")
    assert [line.number for line in audit.lines()] == [1, 2, 3, 4, 5, 6, 7]
    assert audit.verify() == []


@pytest.mark.parametrize(
    "did", ["", "Login", "slide viewed", "x" * 31, "slide_viewed", "-x", "x\n"]
)
def test_what_was_done_is_a_code(audit, did):
    with pytest.raises(ValueError, match="no code"):
        audit.note("Ada", did)
    assert list(audit.lines()) == []


@pytest.mark.parametrize(
    "detail",
    [
        "a word", "cells=3 and a remark", "cells=", "=3", "cells=3 ", " cells=3",
        "cells=3  label=AML", "comment=blasts,probably", "name=Müller",
        "k=" + "x" * 199, "cells=3\n", "a=1\nb=2",
    ],
)  # fmt: skip
def test_no_free_text_fits_into_a_detail(audit, detail):
    with pytest.raises(ValueError, match="key=value"):
        audit.note("Ada", "slide-commented", detail=detail)
    assert list(audit.lines()) == []


def test_what_cannot_be_a_token_is_left_out(audit):
    audit.note("root", "access-refused", "no such site", "Anna Müller 1.2.1970")
    (line,) = audit.lines()
    assert (line.site, line.slide) == ("", "")


@both
@pytest.mark.parametrize("change", [sa.update(table).values(who="Ben"), sa.delete(table)])
def test_the_database_itself_refuses_to_change_or_remove_a_line(written, database, change):
    with pytest.raises(AccountsTroubleError, match="only grows"), database.writing() as connection:
        connection.execute(change)
    assert len(list(written.lines())) == 6
    assert written.verify() == []


@both
def test_many_writers_at_once_make_one_chain(database, url):
    other = Database(url)
    failed = []

    def write(log, who):
        try:
            for _ in range(15):
                log.note(who, "slide-viewed", "clinic", "s1")
        except Exception as error:  # noqa: BLE001  # told below
            failed.append(error)

    logs = [Audit(database), Audit(database), Audit(other), Audit(other)]
    threads = [
        threading.Thread(target=write, args=(log, f"reader {n}")) for n, log in enumerate(logs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert [line.number for line in logs[0].lines()] == list(range(1, 61))
    assert logs[0].verify() == []
    other.close()


@both
def test_verifying_while_others_write_finds_nothing(database):
    log, stop = Audit(database), threading.Event()
    log.note("Ada", "login")

    def write():
        while not stop.is_set():
            log.note("Ada", "slide-viewed", "clinic", "s1")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert [log.verify() for _ in range(6)] == [[]] * 6
    finally:
        stop.set()
        writer.join(20)


@both
def test_a_line_that_cannot_be_written_is_no_silence(written, database):
    with database.writing() as connection:
        connection.execute(sa.delete(audit_head))
    with pytest.raises(AccountsTroubleError, match="does not answer"):
        written.note("Ada", "slide-viewed", "clinic", "s1")
    assert len(list(written.lines())) == 6


@both
def test_a_failed_line_leaves_the_chain_whole(written, database, monkeypatch):
    monkeypatch.setattr("cloud.accounts.append.asdict", lambda line: {"number": 1})
    with pytest.raises(AccountsTroubleError):
        written.note("Ada", "slide-viewed", "clinic", "s1")
    monkeypatch.undo()
    written.note("Ada", "slide-viewed", "clinic", "s1")
    assert [line.number for line in written.lines()] == [1, 2, 3, 4, 5, 6, 7]
    assert written.verify() == []


def test_lines_that_are_brought_at_the_same_time_are_one_transaction(database):
    log, written = Audit(database), []
    real = log._together._write
    held, go_on = threading.Event(), threading.Event()

    def write(deeds):
        held.set()
        assert go_on.wait(20)
        written.append([deed.who for deed in deeds])
        real(deeds)

    log._together._write = write
    threads = [threading.Thread(target=log.note, args=(f"r{n}", "login")) for n in range(9)]
    threads[0].start()
    assert held.wait(20)
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(log._together._brought) == 8, 20, "the others wait")
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert [len(batch) for batch in written] == [1, 8]
    assert sorted(line.who for line in log.lines()) == [f"r{n}" for n in range(9)]
    assert log.verify() == []


@both
def test_when_a_transaction_fails_each_of_those_who_wait_is_told(database):
    log, told = Audit(database), []
    with database.writing() as connection:
        connection.execute(sa.delete(audit_head))

    def write():
        try:
            log.note("Ada", "login")
        except AccountsTroubleError as error:
            told.append(str(error))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(told) == 8
    assert list(log.lines()) == []


async def _done(audit, error=None):
    async with audit.act("Ada", "report-signed", "clinic", "s1", "number=4"):
        if error is not None:
            raise error


def test_an_act_is_noted_before_it_is_done(audit):
    asyncio.run(_done(audit))
    assert told(audit.lines()) == [(1, "Ada", "report-signed", "s1")]


def test_an_act_that_fails_is_taken_back_behind_its_line(audit):
    with pytest.raises(RuntimeError, match="refused"):
        asyncio.run(_done(audit, RuntimeError("refused")))
    assert told(audit.lines()) == [
        (1, "Ada", "report-signed", "s1"),
        (2, "Ada", "report-signed-not-done", "s1"),
    ]


@pytest.mark.parametrize("when", ["while it is noted", "while it is done"])
def test_an_act_that_the_programs_end_cuts_off_is_not_called_undone(audit, when):
    async def stopped():
        doing = asyncio.Event()

        async def act():
            async with audit.act("Ada", "report-signed", "clinic", "s1"):
                doing.set()
                await asyncio.sleep(60)

        task = asyncio.ensure_future(act())
        if when == "while it is done":
            await doing.wait()
        else:
            await asyncio.sleep(0)  # it has begun, and its thread writes
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    assert [line.did for line in audit.lines()] == ["report-signed", "report-signed-cut-off"]


def test_an_act_that_cannot_be_noted_is_not_done(audit, database):
    done = []
    database.close()
    with database.writing() as connection:
        connection.execute(sa.delete(audit_head))

    async def act():
        async with audit.act("Ada", "report-signed", "clinic", "s1"):
            done.append("signed")

    with pytest.raises(AccountsTroubleError):
        asyncio.run(act())
    assert done == []
