"""`leukoscope-cloud verify` and `leukoscope-cloud review-key`."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console

from cloud.reviews.desk import read_chain
from cloud.reviews.signing import (
    ReviewKeyError,
    Trusted,
    configured_keys,
    fingerprint,
    new_key,
    public_file,
)
from cloud.reviews.verify import Finding, examine
from cloud.settings import CloudSettings
from cloud.slides.results import read_results
from cloud.stores import keys
from cloud.stores.objects import Objects, open_store
from wire.logs import configure


class Verdict(Struct):
    """What a slide's chain is found to be; a line of `--json`, and of a file for `--heads`."""

    site: str
    slide: str
    state: str
    number: int
    """Of the last entry."""
    head: str
    """SHA-256 of the last entry."""
    findings: list[Finding] = []


def run_verify(
    settings: CloudSettings, slide: str | None, site: str | None, heads: Path | None, *, json: bool
) -> int:
    """Replay one chain or all; 0 where each is sound, 1 where one is not, 2 for wrong settings."""
    configure(json=settings.log_json)
    console, errors = Console(), Console(stderr=True)
    try:
        trusted = trusted_keys(settings)
        noted = read_heads(heads)
    except (ReviewKeyError, OSError, msgspec.MsgspecError) as error:
        errors.print(f"[red]leukoscope-cloud:[/red] {error}", highlight=False, soft_wrap=True)
        return 2
    objects = Objects(open_store(settings.store), settings.retry_max_s, lambda _: None)
    found = asyncio.run(verify(objects, trusted, noted, slide, site or settings.site))
    for verdict in found:
        if json:
            sys.stdout.write(msgspec.json.encode(verdict).decode() + "\n")
        else:
            _show(verdict, console)
    if not found and not json:
        console.print("No reviews are there." if slide is None else f"{slide} has no reviews.")
    missing = slide is not None and not found
    return 1 if missing or any(verdict.findings for verdict in found) else 0


async def verify(
    objects: Objects,
    trusted: Trusted,
    noted: dict[tuple[str, str], dict[int, str]],
    slide: str | None = None,
    site: str | None = None,
) -> list[Verdict]:
    """Replay the chains of a slide, a site or all."""
    names = {*noted, *(await _named(objects))}
    return [
        await _verify_one(objects, trusted, noted.get(name, {}), *name)
        for name in sorted(names)
        if (site is None or name[0] == site) and (slide is None or name[1] == slide)
    ]


async def _verify_one(
    objects: Objects, trusted: Trusted, noted: dict[int, str], site: str, slide: str
) -> Verdict:
    chain = await read_chain(objects, site, slide)  # first: no entry is about a later field
    results = await read_results(objects, site, slide)
    examined = examine(chain, results, trusted, noted)
    review = examined.review
    return Verdict(site, slide, review.state, review.number, review.head, examined.findings)


async def _named(objects: Objects) -> set[tuple[str, str]]:
    """Slides with a chain, or with what is left of one."""
    found = set()
    for prefix in (keys.REVIEWS, keys.WITNESSES):
        for key in await objects.sizes(prefix):
            site, slide, *_ = key.removeprefix(prefix).split("/")
            found.add((site, slide))
    return found


def trusted_keys(settings: CloudSettings) -> Trusted:
    """Those of `review_trusted`, and that of `review_key`.

    Raises:
        ReviewKeyError: one cannot be used, or there is none at all.
    """
    trusted = configured_keys(settings)
    if not trusted:
        raise ReviewKeyError(
            "no key is trusted: set review_trusted to the .pub files of the keys that signed here"
        )
    return trusted


def read_heads(file: Path | None) -> dict[tuple[str, str], dict[int, str]]:
    """What an earlier `verify --all --json` said, kept elsewhere."""
    noted: dict[tuple[str, str], dict[int, str]] = {}
    for line in _lines(file):
        verdict = msgspec.json.decode(line, type=Verdict)
        if verdict.number:
            noted.setdefault((verdict.site, verdict.slide), {})[verdict.number] = verdict.head
    return noted


def run_review_key(file: Path) -> int:
    """Make a pair of keys and say what to do with it."""
    try:
        key = new_key(file)
    except ReviewKeyError as error:
        Console(stderr=True).print(f"[red]leukoscope-cloud:[/red] {error}", soft_wrap=True)
        return 1
    console = Console(soft_wrap=True)
    console.print(f"private key  {file}  (setting review_key; keep a copy in a safe place)")
    console.print(f"public key   {public_file(file)}  (setting review_trusted of whoever verifies)")
    console.print(f"fingerprint  {fingerprint(key.public_key())}")
    return 0


def _lines(file: Path | None) -> Iterator[str]:
    if file is not None:
        yield from (line for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def _show(verdict: Verdict, console: Console) -> None:
    name = f"{verdict.site}/{verdict.slide}"
    if not verdict.findings:
        console.print(f"[green]sound[/green]    {name}  {verdict.number} entries, {verdict.state}")
        return
    console.print(f"[red]altered[/red]  {name}", soft_wrap=True)
    for finding in verdict.findings:
        console.print(f"  entry {finding.number}: {finding.kind}: {finding.detail}", soft_wrap=True)
