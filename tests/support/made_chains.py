"""Chains of reviews as a desk would have written them, without a bucket."""

from datetime import timedelta

from reading_desk import KEY
from slide_results import BEGIN

from cloud.reviews.entry import Comment, Entry, Sign, basis, digest
from cloud.reviews.replay import Review, Slide
from cloud.reviews.signing import sign


def chain(results, *actions, reader="ada"):
    """Entries of these actions on a slide with these results, and the head of the last.

    `None` among the actions signs the report.
    """
    slide, review, made = Slide.of(results), Review(), []
    for number, action in enumerate(actions, 1):
        made.append(
            Entry(
                site=results[0].site,
                slide=results[0].slide,
                number=number,
                before=review.head,
                reader=reader,
                at=BEGIN + timedelta(minutes=number),
                basis=basis(results),
                action=Sign(slide.report(review)) if action is None else action,
            )
        )
        review.take(made[-1], digest(sign(made[-1], KEY)))
    return made, review.head


def signed(results):
    """A remark, and the signature."""
    return chain(results, Comment("fine"), None)


def begun(results):
    """A remark."""
    return chain(results, Comment("fine"))
