"""`leukoscope-cloud user`, as a person at the shell and as a program sees it."""

import json
import os
import pty
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from cloud.accounts.audit import Audit
from cloud.accounts.database import Database
from cloud.accounts.people import Account, Accounts
from cloud.cli import app

PASSWORD = "seven smears in a row"  # noqa: S105  # of nobody
ISSUER = "https://id.example"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'accounts.sqlite'}"


@pytest.fixture
def shell(url, monkeypatch, logs_as_before):
    """`shell("user", "list")` runs it: its exit code, what it said, and what it complained of."""
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_ACCOUNTS_URL", url)
    monkeypatch.setenv("USER", "operator")
    monkeypatch.setenv("LOGNAME", "operator")

    def run(*arguments, stdin=""):
        return CliRunner().invoke(app, arguments, input=stdin)

    return run


@pytest.fixture
def with_oidc(monkeypatch):
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_OIDC__ISSUER", ISSUER)
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_OIDC__CLIENT_ID", "leukoscope")
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_OIDC__PAGE_URL", "https://reading.example")


def add(shell, name="Ada Reader", role="reader"):
    done = shell("user", "add", name, "--role", role, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output


def test_an_account_is_added_with_a_password_of_stdin(shell, database):
    add(shell)
    assert Accounts(database).check_password("Ada Reader", PASSWORD)


def test_what_was_done_is_said_in_a_sentence_and_without_the_password(shell):
    done = shell("user", "add", "Ada", "--role", "lead", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert done.stdout == "Ada is added, as lead.\n"


def test_every_change_stands_in_the_audit_log_with_who_ran_it(shell, database, with_oidc):
    add(shell)
    shell("user", "role", "Ada Reader", "lead")
    shell("user", "password", "Ada Reader", "--password-stdin", stdin="another seven smears\n")
    shell("user", "subject", "Ada Reader", "subject-17")
    shell("user", "disable", "Ada Reader")
    shell("user", "enable", "Ada Reader")
    lines = list(Audit(database).lines())
    assert [(line.did, line.detail) for line in lines] == [
        ("account-added", "role=reader by=password"),
        ("account-role", "role=lead"),
        ("account-password", ""),
        ("account-subject", ""),
        ("account-disabled", ""),
        ("account-enabled", ""),
    ]
    assert {(line.who, line.account, line.address) for line in lines} == {
        ("", "Ada Reader", "shell:operator")
    }


def test_a_change_that_is_refused_leaves_no_line(shell, database):
    add(shell)
    for refused in (
        ("user", "add", "ada reader", "--role", "lead", "--password-stdin"),
        ("user", "disable", "Ben"),
    ):
        assert shell(*refused, stdin=f"{PASSWORD}\n").exit_code == 2
    assert [line.did for line in Audit(database).lines()] == ["account-added"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (
            ["add", "Ada", "--role", "boss", "--password-stdin"],
            PASSWORD,
            "take reader, lead, admin",
        ),
        (["add", "Ada", "--role", "reader", "--password-stdin"], "short", "10 to 200 characters"),
        (["add", "Ada", "--role", "reader", "--password-stdin"], "", "password or an OIDC subject"),
        (["add", "Ada", "--role", "reader"], "", "--password-stdin"),
        (["add", " Ada", "--role", "reader", "--password-stdin"], PASSWORD, "printable"),
        (["add", "Ada", "--role", "reader", "--oidc-subject", "x"], "", "oidc.issuer"),
        (["role", "Ada", "boss"], "", "take reader, lead, admin"),
        (["role", "Nobody", "lead"], "", "no account 'Nobody'"),
        (["password", "Nobody", "--password-stdin"], PASSWORD, "no account 'Nobody'"),
        (["disable", "[red]Nobody"], "", "no account '[red]Nobody'"),
        (["enable", "Nobody"], "", "no account 'Nobody'"),
        (["subject", "Nobody", "x"], "", "oidc.issuer"),
    ],
)
def test_wrong_input_ends_with_2_and_says_what_to_do(shell, arguments, stdin, sentence):
    done = shell("user", *arguments, stdin=f"{stdin}\n")
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_database_that_cannot_be_used_ends_with_1_and_names_the_setting(shell, monkeypatch):
    monkeypatch.setenv("LEUKOSCOPE_CLOUD_ACCOUNTS_URL", "sqlite:////nowhere/at/all.sqlite")
    done = shell("user", "list")
    assert done.exit_code == 1
    assert "accounts_url" in done.stderr


def test_an_account_may_come_in_by_oidc_alone_without_being_asked_for_a_password(
    shell, database, with_oidc
):
    done = shell("user", "add", "Ada", "--role", "reader", "--oidc-subject", "subject-17")
    assert done.exit_code == 0, done.output
    assert Accounts(database).by_oidc(ISSUER, "subject-17") == Account("Ada", "reader")


@pytest.mark.parametrize("subject", ["", "x" * 256, "sübject", "a\tb"])
def test_a_subject_that_no_provider_gives_is_refused(shell, with_oidc, subject):
    done = shell("user", "add", "Ada", "--role", "reader", "--oidc-subject", subject)
    assert done.exit_code == 2
    assert "255 printable ASCII" in " ".join(done.stderr.split())


def test_a_subject_of_another_account_is_refused(shell, with_oidc):
    shell("user", "add", "Ada", "--role", "reader", "--oidc-subject", "subject-17")
    add(shell, "Ben")
    done = shell("user", "subject", "Ben", "subject-17")
    assert done.exit_code == 2
    assert "Another account" in done.stderr


def test_the_list_shows_each_and_how_it_signs_in(shell, with_oidc):
    assert "user add" in shell("user", "list").stdout
    add(shell)
    shell("user", "add", "Ben", "--role", "lead", "--oidc-subject", "subject-17")
    shell("user", "disable", "Ben")
    told = shell("user", "list").stdout
    assert "Ada Reader" in told
    assert "password" in told
    assert "disabled" in told


def test_programs_read_json(shell, with_oidc):
    done = shell(
        "user", "add", "Ada", "--role", "lead", "--json", "--password-stdin", stdin=f"{PASSWORD}\n"
    )
    assert json.loads(done.stdout) == {"name": "Ada", "role": "lead"}
    (told,) = json.loads(shell("user", "list", "--json").stdout)
    assert told.pop("added_at")
    assert told == {
        "name": "Ada", "role": "lead", "disabled": False, "has_password": True, "subject": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ([PASSWORD, "something else", PASSWORD, PASSWORD], 0, "do not match"),
        (["short", "short"], 2, "10 to 200"),
    ],
)
def test_a_person_is_asked_twice_and_sees_nothing_of_it(url, tmp_path, typed, code, said):
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "cloud", "user", "add", "Ada", "--role", "reader"],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env=os.environ | {"LEUKOSCOPE_CLOUD_ACCOUNTS_URL": url, "TERM": "dumb"},
    )  # fmt: skip
    os.close(theirs)
    screen = b""
    for answer in typed:
        screen += _until(ours, b": ")
        os.write(ours, answer.encode() + b"\n")
    screen += _rest(ours)
    assert asked.wait(30) == code
    os.close(ours)
    told = " ".join(screen.decode().split())
    assert said in told
    assert PASSWORD not in told
    assert "short" not in told.replace("10 to 200", "")


def _until(terminal, end, seconds=60):
    got, until = b"", time.monotonic() + seconds
    while not got.endswith(end):
        assert time.monotonic() < until, got
        got += os.read(terminal, 4096)
    return got


def _rest(terminal):
    got = b""
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # EIO: the other end has gone
            return got
        if not more:
            return got
        got += more


def test_help_loads_neither_sqlalchemy_nor_argon2():
    program = (
        "import sys, cloud.cli;"
        "print([m for m in ('sqlalchemy', 'argon2', 'authlib', 'httpx2', 'fastapi')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_the_shipped_place_is_a_folder_that_nobody_else_may_read(shell, monkeypatch, tmp_path):
    monkeypatch.delenv("LEUKOSCOPE_CLOUD_ACCOUNTS_URL")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    add(shell)
    file = tmp_path / "data" / "leukoscope" / "accounts.sqlite"
    assert file.parent.stat().st_mode & 0o777 == 0o700
    opened = Database(f"sqlite:///{file}")
    assert Accounts(opened).check_password("Ada Reader", PASSWORD)
    opened.close()
