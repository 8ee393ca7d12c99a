"""A slide's chain of reviews as rows, and how far it brings the slide."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud.index.rows import Row, SlideKey
from cloud.index.tables import entries as table
from cloud.index.tables import of_slide, reviews
from cloud.reviews.entry import ROOT, Entry
from cloud.reviews.replay import Review


class Chain(NamedTuple):
    """A whole chain, from its first entry on."""

    entries: Sequence[Entry]
    head: str
    """SHA-256 of the last entry's bytes in the bucket."""

    @classmethod
    def of(cls, key: SlideKey, entries: Sequence[Entry], head: str) -> "Chain":
        """Look whether it is one, of this slide.

        Raises:
            ValueError: it is not.
        """
        for number, entry in enumerate(entries, 1):
            if (entry.site, entry.slide, entry.number) != (*key, number):
                raise ValueError(
                    f"not a chain of {key.site}/{key.slide}: in place {number} stands entry "
                    f"{entry.number} of {entry.site}/{entry.slide}"
                )
        return cls(entries, head if entries else ROOT)

    @property
    def heads(self) -> list[str]:
        """Of every entry: each is named by the one behind it."""
        if not self.entries:
            return []
        return [*(entry.before for entry in self.entries[1:]), self.head]

    def rows(self, key: SlideKey, behind: int = 0) -> list[Row]:
        """Of the entries behind this number."""
        return [
            key._asdict()
            | {"number": entry.number, "head": head, "entry": msgspec.json.encode(entry)}
            for entry, head in zip(self.entries, self.heads, strict=True)
            if entry.number > behind
        ]

    def review_row(self, key: SlideKey) -> Row:
        """How far the slide is with it."""
        review = replay(zip(self.entries, self.heads, strict=True))
        return key._asdict() | {
            "number": review.number,
            "head": review.head,
            "state": review.state,
            "signed_fields": review.reports[-1].fields if review.reports else 0,
        }


def replay(entries: Iterable[tuple[Entry, str]]) -> Review:
    """Where a slide stands after these entries; each with the SHA-256 of its bytes."""
    review = Review()
    for entry, head in entries:
        review.take(entry, head)
    return review


def held(connection: Connection, key: SlideKey) -> tuple[int, str]:
    """Number and SHA-256 of the last entry that is held of a slide's chain."""
    query = sa.select(reviews.c.number, reviews.c.head).where(of_slide(reviews, key))
    number, head = connection.execute(query).one_or_none() or (0, ROOT)
    return number, head


def write(connection: Connection, key: SlideKey, chain: Chain) -> None:
    """Write what is held so far on, or all anew where the chain goes another way."""
    number, head = held(connection, key)
    if len(chain.entries) <= number:
        return  # an earlier word
    if number and chain.heads[number - 1] != head:
        number = 0
    forget(connection, key, number)
    connection.execute(sa.insert(table), chain.rows(key, number))
    connection.execute(sa.insert(reviews), [chain.review_row(key)])


def forget(connection: Connection, key: SlideKey, behind: int = 0) -> None:
    """Delete how far a slide is, and its entries behind this number."""
    connection.execute(sa.delete(reviews).where(of_slide(reviews, key)))
    connection.execute(sa.delete(table).where(of_slide(table, key), table.c.number > behind))
