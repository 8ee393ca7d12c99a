"""`leukoscope-cloud user …` and `leukoscope-cloud audit`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cloud.settings import CloudSettings

user_app = typer.Typer(
    help="Accounts of the reading room.\n\nRoles: a reader works through slides and signs; a lead "
    "also sees the audit log; an admin keeps accounts and sees the audit log, and opens no slide. "
    "A name stands in every review of its owner: no account is ever deleted, and no name is given "
    "to another person.",
    no_args_is_help=True,
)

Config = Annotated[Path | None, typer.Option("--config", help="settings file (TOML)")]
Json = Annotated[bool, typer.Option("--json", help="JSON, for programs")]
Name = Annotated[str, typer.Argument(help="the account's name")]
Role = Annotated[str, typer.Option("--role", help="reader, lead or admin")]
Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="the password is one line on stdin, not asked for")
]
Subject = Annotated[
    str | None,
    typer.Option("--oidc-subject", help="what the OIDC provider calls this person (`sub`)"),
]


@user_app.command()
def add(
    name: Annotated[str, typer.Argument(help="the reader's own name, as it stands in reviews")],
    role: Role,
    *,
    oidc_subject: Subject = None,
    password_stdin: Stdin = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Add an account. The password is asked for, hidden, unless an OIDC subject is given."""
    from cloud.accounts.command import Shell  # SQLAlchemy takes its time to load

    shell = Shell(_settings(config), json=json)
    raise typer.Exit(shell.add(name, role, oidc_subject, from_stdin=password_stdin))


@user_app.command(name="list")
def list_all(*, json: Json = False, config: Config = None) -> None:
    """Show all accounts, disabled ones too."""
    from cloud.accounts.command import Shell  # as above

    raise typer.Exit(Shell(_settings(config), json=json).show())


@user_app.command()
def role(
    name: Name,
    role: Annotated[str, typer.Argument(help="reader, lead or admin")],
    *,
    json: Json = False,
    config: Config = None,
) -> None:
    """Give another role. Signs this person out."""
    from cloud.accounts.command import Shell  # as above

    raise typer.Exit(Shell(_settings(config), json=json).role(name, role))


@user_app.command()
def disable(name: Name, *, json: Json = False, config: Config = None) -> None:
    """Let this person in no more, from this moment on. What they signed stays theirs."""
    from cloud.accounts.command import Shell  # as above

    raise typer.Exit(Shell(_settings(config), json=json).disable(name))


@user_app.command()
def enable(name: Name, *, json: Json = False, config: Config = None) -> None:
    """Let the same person in again."""
    from cloud.accounts.command import Shell  # as above

    raise typer.Exit(Shell(_settings(config), json=json).enable(name))


@user_app.command()
def password(
    name: Name, *, password_stdin: Stdin = False, json: Json = False, config: Config = None
) -> None:
    """Set a new password: asked for, hidden, unless it comes on stdin. Signs this person out."""
    from cloud.accounts.command import Shell  # as above

    shell = Shell(_settings(config), json=json)
    raise typer.Exit(shell.password(name, from_stdin=password_stdin))


@user_app.command()
def subject(
    name: Name,
    subject: Annotated[str, typer.Argument(help="what the OIDC provider calls this person")],
    *,
    json: Json = False,
    config: Config = None,
) -> None:
    """Let this person in by OIDC, too. Signs this person out."""
    from cloud.accounts.command import Shell  # as above

    raise typer.Exit(Shell(_settings(config), json=json).subject(name, subject))


def audit(
    *,
    slide: Annotated[str, typer.Option(help="only of this slide (its token)")] = "",
    site: Annotated[str, typer.Option(help="only of this site")] = "",
    who: Annotated[str, typer.Option(help="only by or about this account")] = "",
    did: Annotated[str, typer.Option(help="only this code, such as slide-viewed")] = "",
    since: Annotated[
        datetime | None, typer.Option(help="only from this moment on, of this machine's clock")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="hold every line to its chain, and show no lines")
    ] = False,
    heads: Annotated[
        Path | None,
        typer.Option(help="with --verify: earlier --verify --json outputs, kept elsewhere"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="a line of JSON each, for programs")] = False,
    config: Config = None,
) -> None:
    """Show who looked at what and did what, or verify that nothing of it was changed.

    --verify ends with 0 where the log is sound, 1 where it is not. What a database's owner writes
    anew from some line on, or cuts off, only --heads can tell: keep an output of --verify --json
    elsewhere, every day.
    """
    from cloud.accounts.audit_command import run_audit, run_verify  # as above

    if verify:
        if slide or site or who or did or since:
            raise typer.BadParameter("--verify looks at the whole log: leave the filters out")
        raise typer.Exit(run_verify(_settings(config), heads, json=json))
    if heads is not None:
        raise typer.BadParameter("--heads goes with --verify")
    raise typer.Exit(
        run_audit(
            _settings(config), slide=slide, site=site, who=who, did=did, since=since, json=json
        )
    )


def _settings(config: Path | None) -> CloudSettings:
    return CloudSettings.load(config)
