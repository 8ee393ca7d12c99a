"""Whoever may write to the database can do anything to the log: `verify` then names it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from accounts_end import both
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from cloud.accounts.chain import Head, Line, digest, examine, sealed
from cloud.accounts.tables import audit as table
from cloud.accounts.tables import audit_head
from cloud.reviews.entry import ROOT

_BEGAN = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
_FIELDS = [name for name in Line.__struct_fields__ if name not in ("number", "digest")]


def chain(length):
    """So many lines as the log writes them, and where it ends."""
    lines, before = [], ROOT
    for n in range(1, length + 1):
        plain = Line(
            n, _BEGAN + timedelta(seconds=n), f"reader {n % 3}", "slide-viewed", "", "clinic",
            f"s{n % 4}", f"cells={n}", "192.0.2.7", before, "",
        )  # fmt: skip
        lines.append(sealed(plain))
        before = lines[-1].digest
    return lines, Head(length, before)


def kinds(lines, head, noted=()):
    return {finding.kind for finding in examine(lines, head, noted)}


def changed(line, field):
    """The line with another value there."""
    value = getattr(line, field)
    other = value + timedelta(microseconds=1) if field == "at" else value[:-1] + "x" + value[-1:]
    return replace(line, **{field: other})


chains = st.integers(2, 12)


@given(chains)
def test_what_was_written_is_sound(length):
    lines, head = chain(length)
    assert kinds(lines, head, [Head(n + 1, line.digest) for n, line in enumerate(lines)]) == set()


@given(chains, st.data())
def test_a_changed_field_is_found_and_named(length, data):
    lines, head = chain(length)
    at = data.draw(st.integers(0, length - 1))
    lines[at] = changed(lines[at], data.draw(st.sampled_from(_FIELDS)))
    findings = list(examine(lines, head))
    assert (at + 1, "altered") in [(found.number, found.kind) for found in findings]


@given(chains, st.data())
def test_a_changed_line_with_its_digest_made_anew_breaks_the_link_behind_it(length, data):
    lines, head = chain(length)
    at = data.draw(st.integers(0, length - 1))
    lines[at] = sealed(changed(lines[at], data.draw(st.sampled_from(_FIELDS))))
    assert kinds(lines, head) & {"broken-link", "cut-off"}


@given(chains, st.data())
def test_a_removed_stretch_is_a_gap_or_a_cut(length, data):
    lines, head = chain(length)
    start = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(start + 1, length))
    findings = list(examine(lines[:start] + lines[end:], head))
    assert findings[0].number == start + 1
    assert findings[0].kind == ("cut-off" if end == length else "gap")


@given(chains, st.data())
def test_removed_lines_with_the_rest_numbered_anew_are_found(length, data):
    lines, head = chain(length)
    at = data.draw(st.integers(0, length - 2))
    moved = [sealed(replace(line, number=line.number - 1)) for line in lines[at + 1 :]]
    assert kinds(lines[:at] + moved, head) & {"broken-link", "cut-off"}


@given(chains, st.data())
def test_two_lines_that_changed_places_are_found(length, data):
    lines, head = chain(length)
    one = data.draw(st.integers(0, length - 2))
    other = data.draw(st.integers(one + 1, length - 1))
    first, second = lines[one], lines[other]
    lines[one], lines[other] = (
        sealed(replace(second, number=first.number)),
        sealed(replace(first, number=second.number)),
    )
    assert kinds(lines, head) & {"broken-link", "cut-off"}


@given(chains, st.data())
def test_a_line_put_in_between_is_found(length, data):
    lines, head = chain(length)
    at = data.draw(st.integers(0, length))
    before = lines[at - 1].digest if at else ROOT
    forged = sealed(replace(lines[0], number=at + 1, before=before, who="nobody"))
    moved = [sealed(replace(line, number=line.number + 1)) for line in lines[at:]]
    assert kinds([*lines[:at], forged, *moved], head)


@given(chains, st.data())
def test_a_cut_off_end_with_the_logs_own_end_moved_is_found_by_what_was_noted_elsewhere(
    length, data
):
    lines, head = chain(length)
    left = data.draw(st.integers(0, length - 1))
    end = Head(left, lines[left - 1].digest if left else ROOT)
    assert kinds(lines[:left], end) == set()  # nobody can tell from the log alone
    assert kinds(lines[:left], end, [head]) == {"cut-off"}


@settings(max_examples=50)
@given(chains, st.data())
def test_a_log_written_anew_from_a_line_on_is_found_by_what_was_noted_elsewhere(length, data):
    lines, head = chain(length)
    at = data.draw(st.integers(0, length - 1))
    forged = [*lines[:at], changed(lines[at], "who"), *lines[at + 1 :]]
    for n in range(at, length):
        before = forged[n - 1].digest if n else ROOT
        forged[n] = sealed(replace(forged[n], before=before))
    end = Head(length, forged[-1].digest)
    assert kinds(forged, end) == set()  # nobody can tell from the log alone
    assert kinds(forged, end, [head]) == {"head-differs"}


@given(chains, st.integers(0, 10))
def test_any_two_different_lines_have_different_digests(length, extra):
    lines, _ = chain(length)
    longer, _ = chain(length + extra)
    seen = {astuple(line)[:-1]: digest(line) for line in [*lines, *longer]}
    assert len(set(seen.values())) == len(seen)


@pytest.fixture
def opened(audit, database):
    """Six lines, and a database whose owner has taken the locks off."""
    for n in range(1, 7):
        audit.note("Ada", "slide-viewed", "clinic", f"s{n}")
    with database.writing() as connection:
        if database.engine.dialect.name == "sqlite":
            for act in ("update", "delete"):
                connection.execute(sa.text(f"DROP TRIGGER audit_no_{act}"))
        else:
            connection.execute(sa.text("DROP TRIGGER audit_only_grows ON audit"))
    return audit


@both
@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (sa.update(table).where(table.c.number == 3).values(who="Ben"), [(3, "altered")]),
        (sa.update(table).where(table.c.number == 3).values(slide="s9"), [(3, "altered")]),
        (sa.update(table).where(table.c.number == 6).values(digest="0" * 64),
         [(6, "altered"), (7, "cut-off")]),
        (sa.delete(table).where(table.c.number == 1), [(1, "gap")]),
        (sa.delete(table).where(table.c.number.in_([3, 4])), [(3, "gap")]),
        (sa.delete(table).where(table.c.number == 6), [(6, "cut-off")]),
        (sa.delete(table), [(1, "cut-off")]),
        (sa.update(audit_head).values(number=5), [(6, "cut-off"), (6, "beyond-end")]),
        (sa.delete(audit_head), [(1, "cut-off"), (1, "beyond-end")]),
    ],
)  # fmt: skip
def test_the_log_in_the_database_is_held_to_its_chain(opened, database, tamper, found):
    with database.writing() as connection:
        connection.execute(tamper)
    assert [(finding.number, finding.kind) for finding in opened.verify()] == found


@both
def test_writing_on_behind_a_forged_end_does_not_mend_it(opened, database):
    head = opened.head()
    with database.writing() as connection:
        connection.execute(sa.delete(table).where(table.c.number == 6))
        connection.execute(sa.update(audit_head).values(number=5))
    opened.note("Ada", "logout")
    assert [(f.number, f.kind) for f in opened.verify()] == [(6, "broken-link")]
    assert {f.kind for f in opened.verify([head])} == {"broken-link", "head-differs"}
