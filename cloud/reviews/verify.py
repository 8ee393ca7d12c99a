"""Replays a chain and names everything that is not as its writers left it."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from cloud.reviews.entry import (
    ROOT,
    Amend,
    Entry,
    EntryError,
    Propose,
    Sign,
    basis,
    digest,
    read,
)
from cloud.reviews.replay import Review, Slide
from cloud.reviews.rules import ReviewRefused, check
from cloud.reviews.signing import Trusted, is_sound
from wire.messages import FrameResult

Kind: TypeAlias = Literal[
    "gap", "unreadable", "misplaced", "broken-link", "signature-wrong", "key-untrusted",
    "witness-missing", "witness-differs", "rule-broken", "basis-differs", "report-differs",
    "head-differs",
]  # fmt: skip


class _Found(Protocol):
    """Takes a finding down."""

    def __call__(self, kind: Kind, detail: str) -> None: ...


class Finding(Struct, frozen=True):
    """One thing that is not as it should be."""

    number: int
    """Of the entry."""
    kind: Kind
    detail: str


class Chain(Struct, frozen=True):
    """What lies in the bucket of one slide's chain, by number."""

    site: str
    slide: str
    entries: dict[int, bytes]
    witnesses: dict[int, bytes]


class Examined(Struct, frozen=True):
    """The state that the chain gives, and what is wrong with it."""

    review: Review
    entries: list[Entry]
    """Those that can be read, in order."""
    findings: list[Finding]


def examine(
    chain: Chain,
    results: Sequence[FrameResult],
    trusted: Trusted,
    heads: Mapping[int, str] | None = None,
) -> Examined:
    """Replay, and hold each entry to its place, link, signature, witness, images and rules.

    Args:
        chain: of one slide.
        results: of the slide, as stored now.
        trusted: keys whose signatures count.
        heads: SHA-256 of entries as somebody else noted them, by number.
    """
    findings: list[Finding] = []
    review, entries, before = Review(), [], ROOT
    last = max([*chain.entries, *chain.witnesses, *(heads or {})], default=0)
    by_field = Slide.of(results).results
    for number in range(1, last + 1):

        def found(kind: Kind, detail: str, number: int = number) -> None:
            findings.append(Finding(number, kind, detail))

        data = chain.entries.get(number)
        if data is None:
            found("gap", "there is no such entry: it was removed, or never written")
            before = ""
            continue
        head = digest(data)
        _witnessed(chain.witnesses.get(number), head, found)
        if heads and heads.get(number, head) != head:
            found("head-differs", "it is another one than was noted elsewhere")
        try:
            signed, entry = read(data)
        except EntryError as error:
            found("unreadable", str(error))
            before = head
            continue
        sound = is_sound(signed, trusted)
        if sound is not True:
            found(
                "key-untrusted" if sound is None else "signature-wrong",
                f"key {signed.key[:16]}…: not the bytes that were signed"
                if sound is False
                else f"key {signed.key[:16]}… is not among review_trusted",
            )
        if (entry.site, entry.slide, entry.number) != (chain.site, chain.slide, number):
            found("misplaced", f"it says {entry.site}/{entry.slide} {entry.number}")
        if before and entry.before != before:
            found("broken-link", "it was not written behind the entry that is before it")
        _held_to_fields(entry, review, by_field, found)
        review.take(entry, head)
        entries.append(entry)
        before = head
    return Examined(review, entries, findings)


def _witnessed(witness: bytes | None, head: str, found: _Found) -> None:
    if witness is None:
        found("witness-missing", "its witness is not there: removed, or its writer was cut off")
    elif witness != head.encode():
        found("witness-differs", "its witness saw other bytes")


def _held_to_fields(
    entry: Entry, review: Review, results: Mapping[str, FrameResult], found: _Found
) -> None:
    """The images and models that the reader had, and what the rules said of it then."""
    missing = [name for name in entry.basis.fields if name not in results]
    if missing:
        found("basis-differs", f"{len(missing)} of its fields have no result now: {missing[0]}")
        return
    mine = [results[name] for name in entry.basis.fields]
    if basis(mine) != entry.basis:
        found("basis-differs", "an image or a model of its fields is not the one that was seen")
        return
    then = Slide.of(mine)
    try:
        check(entry.action, review, then, entry.reader)
    except ReviewRefused as refused:
        found("rule-broken", f"{refused.reason}: {refused}")
    if isinstance(entry.action, Propose | Sign | Amend):
        after = review.copy()
        if isinstance(entry.action, Amend):
            after.change(entry.action, entry.basis.fields)
        if then.report(after) != entry.action.report:
            found("report-differs", "the stored results and the entries add up to another report")
