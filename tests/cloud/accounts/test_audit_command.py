"""`leukoscope-cloud audit`."""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cloud.accounts.tables import audit as table
from cloud.cli import app


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'accounts.sqlite'}"


@pytest.fixture
def shell(url, audit, monkeypatch, logs_as_before):
    """Runs commands on a log of three lines."""
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_ACCOUNTS_URL", url)
    audit.note("Ada", "login", address="192.0.2.7")
    audit.note("Ada", "slide-viewed", "clinic", "s1", "fields=3", address="192.0.2.7")
    audit.note("Ben", "slide-viewed", "clinic", "s2")
    return lambda *arguments: CliRunner().invoke(app, ["audit", *arguments])


def tamper(database):
    with database.writing() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_update"))
        connection.execute(sa.update(table).where(table.c.number == 2).values(who="Ben"))


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ([], [1, 2, 3]),
        (["--slide", "s1"], [2]),
        (["--who", "Ada"], [1, 2]),
        (["--site", "clinic", "--did", "slide-viewed"], [2, 3]),
        (["--since", (datetime.now() + timedelta(days=1)).strftime("%Y-%m-%d")], []),  # noqa: DTZ005  # as somebody types it: by this machine's clock
        (["--since", (datetime.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")], [1, 2, 3]),  # noqa: DTZ005, E501  # as above
    ],
)  # fmt: skip
def test_lines_are_shown_as_filtered(shell, filters, numbers):
    done = shell(*filters, "--json")
    assert done.exit_code == 0
    assert [json.loads(line)["number"] for line in done.stdout.splitlines()] == numbers
    shown = shell(*filters).stdout
    assert [int(line.split()[0]) for line in shown.splitlines() if line[0] == " "] == numbers
    assert ("No line fits." in shown) == (numbers == [])


def test_a_line_shows_who_what_where_and_from_where(shell):
    (line,) = shell("--slide", "s1").stdout.splitlines()
    for part in ("Ada", "slide-viewed", "clinic/s1", "fields=3", "192.0.2.7"):
        assert part in line


def test_a_sound_log_ends_with_0(shell, audit):
    done = shell("--verify")
    assert done.exit_code == 0
    assert "sound" in done.stdout
    assert audit.head().digest in done.stdout


def test_an_altered_log_ends_with_1_and_names_the_line(shell, database):
    tamper(database)
    done = shell("--verify")
    assert done.exit_code == 1
    assert "line 2: altered" in done.stdout
    told = json.loads(shell("--verify", "--json").stdout)
    assert [(f["number"], f["kind"]) for f in told["findings"]] == [(2, "altered")]


def test_what_was_noted_elsewhere_is_held_against_it(shell, audit, database, tmp_path):
    heads = tmp_path / "heads.jsonl"
    heads.write_text(shell("--verify", "--json").stdout)
    audit.note("Ben", "logout")
    with heads.open("a") as file:
        file.write(shell("--verify", "--json").stdout)
    assert shell("--verify", "--heads", str(heads)).exit_code == 0
    with database.writing() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_delete"))
        connection.execute(sa.delete(table).where(table.c.number == 4))
        connection.execute(
            sa.text("UPDATE audit_head SET number = 3, digest = (SELECT max(digest) FROM audit"
                    " WHERE number = 3)")
        )  # fmt: skip
    assert shell("--verify").exit_code == 0  # nobody can tell from the log alone
    done = shell("--verify", "--heads", str(heads))
    assert done.exit_code == 1
    assert "line 4: cut-off" in done.stdout


@pytest.mark.parametrize("content", ["no json", '{"number": 1}', "\xff"])
def test_a_file_of_heads_that_is_none_ends_with_2(shell, tmp_path, content):
    heads = tmp_path / "heads.jsonl"
    heads.write_bytes(content.encode("latin-1"))
    done = shell("--verify", "--heads", str(heads))
    assert done.exit_code == 2
    assert "is no output of" in " ".join(done.stderr.split())
    assert shell("--verify", "--heads", str(tmp_path / "none")).exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["--verify", "--slide", "s1"], ["--heads", "x"], ["--since", "yesterday"]]
)
def test_wrong_usage_ends_with_2(shell, arguments):
    assert shell(*arguments).exit_code == 2


def test_a_database_that_cannot_be_used_ends_with_1(shell, monkeypatch):
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_ACCOUNTS_URL", "mysql://nowhere")
    for arguments in ([], ["--verify"]):
        done = shell(*arguments)
        assert done.exit_code == 1
        assert "accounts_url" in done.stderr
