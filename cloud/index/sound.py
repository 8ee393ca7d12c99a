"""Which chains the projection takes in: those that an action would be built upon (decision 022)."""

from collections.abc import Sequence

from cloud.index.chain import Chain
from cloud.index.rows import SlideKey
from cloud.reviews.desk import read_chain
from cloud.reviews.entry import ROOT, field_name
from cloud.reviews.signing import Trusted
from cloud.reviews.verify import Examined, Finding, examine
from cloud.slides.results import read_results
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.messages import FrameResult

NO_CHAIN = Chain((), ROOT)


async def read_sound(
    objects: Objects, key: SlideKey, held: Sequence[FrameResult], trusted: Trusted
) -> tuple[Chain, list[Finding]]:
    """Read a slide's chain from the bucket and replay it.

    Args:
        objects: the bucket.
        key: of the slide.
        held: results of the slide that are known already; more are read only if need be.
        trusted: keys whose signatures count; without any, signatures are not asked for.

    Returns:
        The whole chain; or none of it, and what is wrong with it.
    """
    stored = await read_chain(objects, *key)
    examined = examine(stored, held, trusted)
    if _against(examined, trusted):  # an entry may be about a field that came since
        now = {field_name(result): result for result in held}
        now |= {field_name(result): result for result in await read_results(objects, *key)}
        examined = examine(stored, list(now.values()), trusted)
    if wrong := _against(examined, trusted):
        return NO_CHAIN, wrong
    return Chain.of(key, examined.entries, examined.review.head), []


async def reviewed(objects: Objects) -> dict[SlideKey, int]:
    """Slides with a chain, or with what is left of one, and the number of its last entry."""
    found: dict[SlideKey, int] = {}
    for prefix in (keys.REVIEWS, keys.WITNESSES):
        for listed in await objects.sizes(prefix):
            parts = listed.removesuffix(".json").split("/")
            if len(parts) == 4 and parts[3].isdecimal():
                key = SlideKey(parts[1], parts[2])
                found[key] = max(found.get(key, 0), int(parts[3]))
    return found


def _against(examined: Examined, trusted: Trusted) -> list[Finding]:
    """Findings over which the chain is left out."""
    return [finding for finding in examined.findings if not _passing(finding, examined, trusted)]


def _passing(finding: Finding, examined: Examined, trusted: Trusted) -> bool:
    """The last entry's witness may be on its way, or its writer was cut off before it."""
    if finding.kind == "key-untrusted":
        return not trusted
    return finding.kind == "witness-missing" and finding.number == examined.review.number
