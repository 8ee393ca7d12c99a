"""`leukoscope-cloud audit`."""

import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from cloud.accounts.audit import Audit, Wanted
from cloud.accounts.chain import Finding, Head, Line
from cloud.accounts.open import open_accounts
from cloud.accounts.trouble import AccountsTroubleError
from cloud.settings import CloudSettings
from wire.logs import configure


class Verdict(Struct):
    """What the log is found to be; the line of `--verify --json`, and of a file for `--heads`."""

    number: int
    """Of the last line."""
    digest: str
    """SHA-256 of the last line."""
    findings: list[Finding] = []


def run_audit(
    settings: CloudSettings,
    *,
    slide: str,
    site: str,
    who: str,
    did: str,
    since: datetime | None,
    json: bool,
) -> int:
    """Show lines, the earliest first; 1 where the log cannot be read."""
    moment = None if since is None else since.astimezone()
    wanted = Wanted(slide=slide, site=site, who=who, did=did, since=moment)

    def work(audit: Audit) -> int:
        lines = audit.lines(wanted)
        if json:
            for line in lines:
                sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        else:
            _show(lines)
        return 0

    return _with(settings, work)


def run_verify(settings: CloudSettings, heads: Path | None, *, json: bool) -> int:
    """Hold the log to its chain; 0 where it is sound, 1 where not, 2 for an unreadable file."""
    try:
        noted = _noted(heads)
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        _tell(f"{heads} is no output of `audit --verify --json`: {error}")
        return 2

    def work(audit: Audit) -> int:
        head = audit.head()
        findings = audit.verify(noted)
        if json:
            verdict = Verdict(head.number, head.digest, findings)
            sys.stdout.write(msgspec.json.encode(verdict).decode() + "\n")
        else:
            _show_verdict(head, findings)
        return 1 if findings else 0

    return _with(settings, work)


def _with(settings: CloudSettings, work: Callable[[Audit], int]) -> int:
    configure(json=settings.log_json)
    try:
        database = open_accounts(settings)
    except AccountsTroubleError as error:
        _tell(str(error))
        return 1
    try:
        return work(Audit(database))
    except AccountsTroubleError as error:
        _tell(str(error))
        return 1
    finally:
        database.close()


def _noted(heads: Path | None) -> list[Head]:
    if heads is None:
        return []
    lines = heads.read_text(encoding="utf-8").splitlines()
    verdicts = [msgspec.json.decode(line, type=Verdict) for line in lines if line.strip()]
    return [Head(verdict.number, verdict.digest) for verdict in verdicts]


def _show(lines: Iterable[Line]) -> None:
    console, shown = Console(soft_wrap=True, highlight=False), 0
    for line in lines:
        shown += 1
        when = line.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        who = line.who or "–"
        about = " ".join(part for part in (_slide(line), line.account, line.detail) if part)
        console.print(escape(f"{line.number:>7}  {when}  {who}  {line.did}  {about}"), end="")
        console.print(f"  [dim]{escape(line.address)}[/dim]")
    if not shown:
        console.print("No line fits.")


def _slide(line: Line) -> str:
    return f"{line.site}/{line.slide}" if line.slide else line.site


def _show_verdict(head: Head, findings: list[Finding]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if not findings:
        console.print(f"[green]sound[/green]    {head.number} lines, the last {head.digest}")
        return
    console.print("[red]altered[/red]")
    for finding in findings:
        console.print(f"  line {finding.number}: {finding.kind}: {finding.detail}")


def _tell(sentence: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        f"[red]leukoscope-cloud:[/red] {escape(sentence)}"
    )
