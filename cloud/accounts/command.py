"""`leukoscope-cloud user …`: what whoever runs the program does to accounts."""

import getpass
import sys
from collections.abc import Callable

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cloud.accounts.open import open_accounts
from cloud.accounts.people import Account, Accounts, By, Listed, checked_role
from cloud.accounts.trouble import AccountRefused, AccountsTroubleError
from cloud.settings import CloudSettings
from wire.logs import configure


class Shell:
    """Does one command and says what came of it: 0 done, 1 failed, 2 not as it was asked for.

    Args:
        settings: of the cloud room.
        json: whether a program reads the answer.
    """

    def __init__(self, settings: CloudSettings, *, json: bool) -> None:
        configure(json=settings.log_json)
        self._settings = settings
        self._json = json
        self._by = By(address=f"shell:{getpass.getuser()}")

    def add(self, name: str, role: str, subject: str | None, *, from_stdin: bool) -> int:
        """Add an account."""

        def work(accounts: Accounts) -> Account:
            chosen = checked_role(role)
            oidc = None if subject is None else (self._issuer(), subject)
            asked = from_stdin or oidc is None
            password = _new_password(from_stdin=from_stdin) if asked else None
            return accounts.add(name, chosen, password, oidc, self._by)

        return self._do(work, "{name} is added, as {role}.")

    def role(self, name: str, role: str) -> int:
        """Give another role."""
        return self._do(
            lambda accounts: accounts.change_role(name, checked_role(role), self._by),
            "{name} is {role} now, and has to sign in again.",
        )

    def disable(self, name: str) -> int:
        """Let in no more."""
        return self._do(
            lambda accounts: accounts.disable(name, self._by),
            "{name} is disabled and signed out. What this person signed stays theirs.",
        )

    def enable(self, name: str) -> int:
        """Let in again."""
        return self._do(
            lambda accounts: accounts.enable(name, self._by), "{name} may sign in again, as {role}."
        )

    def password(self, name: str, *, from_stdin: bool) -> int:
        """Set a new password."""

        def work(accounts: Accounts) -> Account:
            if not accounts.known(name):  # before anybody types for nothing
                raise AccountRefused("account-unknown", f"There is no account {name!r}.")
            password = _new_password(from_stdin=from_stdin)
            return accounts.set_password(name, password, self._by)

        return self._do(work, "{name} has a new password, and has to sign in with it.")

    def subject(self, name: str, subject: str) -> int:
        """Let in by OIDC."""
        return self._do(
            lambda accounts: accounts.set_subject(name, self._issuer(), subject, self._by),
            "{name} may sign in by OIDC.",
        )

    def show(self) -> int:
        """List all."""
        return self._with(lambda accounts: self._list(accounts.list()))

    def _do(self, work: Callable[[Accounts], Account], sentence: str) -> int:
        def told(accounts: Accounts) -> None:
            done = work(accounts)
            if self._json:
                sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
            else:
                _say(sentence.format(name=done.name, role=done.role))

        return self._with(told)

    def _with(self, work: Callable[[Accounts], None]) -> int:
        errors = Console(stderr=True)
        try:
            database = open_accounts(self._settings)
        except AccountsTroubleError as error:
            errors.print(f"[red]leukoscope-cloud:[/red] {escape(str(error))}", soft_wrap=True)
            return 1
        try:
            work(Accounts(database))
        except (AccountRefused, AccountsTroubleError) as error:
            errors.print(f"[red]leukoscope-cloud:[/red] {escape(str(error))}", soft_wrap=True)
            return 2 if isinstance(error, AccountRefused) else 1
        finally:
            database.close()
        return 0

    def _issuer(self) -> str:
        if self._settings.oidc is None:
            raise AccountRefused(
                "oidc-off", "No OIDC provider is set: set oidc.issuer and what goes with it."
            )
        return self._settings.oidc.issuer

    def _list(self, found: list[Listed]) -> None:
        if self._json:
            sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        elif not found:
            _say("There are no accounts: `leukoscope-cloud user add NAME --role reader`.")
        else:
            Console().print(_table(found))


def _new_password(*, from_stdin: bool) -> str:
    """Asked for twice, hidden; or a line of stdin."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccountRefused(
            "password-missing",
            "Nobody can be asked for a password here: give it as one line on stdin, with "
            "--password-stdin.",
        )
    asked: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    return asked


def _table(found: list[Listed]) -> Table:
    table = Table("name", "role", "signs in by", "OIDC subject", "since")
    for account in found:
        ways = [way for way, there in _ways(account) if there]
        by = "disabled" if account.disabled else " or ".join(ways)
        since = account.added_at.date().isoformat()
        cells = (account.name, account.role, by, account.subject or "", since)
        table.add_row(*(escape(cell) for cell in cells), style="dim" if account.disabled else "")
    return table


def _ways(account: Listed) -> tuple[tuple[str, bool], ...]:
    return ("password", account.has_password), ("OIDC", account.subject is not None)


def _say(sentence: str) -> None:
    Console(soft_wrap=True, highlight=False).print(escape(sentence))
