"""Works off what is due after signatures: keeps the reports, and posts them in their order."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final, TypeAlias

import stamina
import structlog

from cloud.index.index import SlideKey
from cloud.reports.fhir.check import FhirError
from cloud.reports.gather import ReportError
from cloud.reports.keep import FHIR
from cloud.reviews.desk import Case
from cloud.reviews.rules import ReviewRefused
from cloud.signing.after import AfterSignature
from cloud.signing.letters import Letters
from cloud.signing.metrics import Metrics
from cloud.signing.notes import Notes
from cloud.signing.post import FhirRefused, FhirServer, PutOff
from cloud.stores import keys
from cloud.stores.keys import ReportName
from cloud.stores.objects import Objects

Load: TypeAlias = Callable[[str, str], Awaitable[Case]]
"""A slide with its chain, held to its signatures: `Desk.load`."""

_LOOK_S: Final = 30.0
"""So often the bucket is asked for notes that another program wrote."""

_POSTS: Final = 4
"""Bundles under way at a time, each of another slide."""

_SLIDES: Final = 64
"""Slides that are worked off at a time; while a server is away, so many bundles are in memory."""

_TRIES: Final = 10
"""In a row; then other slides have their turn, and this one again after a rest."""

_ABANDONED: Final = timedelta(days=1)
"""A note that no signature followed for so long was of one that was never given."""

_REST_S: Final = (1.0, 600.0)
"""Shortest and longest wait before a slide is looked at again that could not be worked off."""

_log = structlog.get_logger("cloud.signing")


class Outbox:
    """One task; several of them, in several programs, do no harm.

    The reports of a slide are posted one after another. Where two programs post the same slide, a
    late repeat of an earlier report may come to the server behind a later one: so whoever has
    posted one that is not the newest has the newest posted once more.

    Args:
        objects: the bucket.
        notes: of what is due.
        letters: for what is refused.
        load: reads a slide and its chain.
        after: keeps the reports.
        server: None: they are kept, and posted nowhere.
        warn: told a sentence while reports wait or were refused, None once there are none.
        metrics: told of each.
        retry_max_s: longest wait before a try, unless the server asks for more.
        wait_s: shortest.
    """

    def __init__(
        self,
        objects: Objects,
        notes: Notes,
        letters: Letters,
        load: Load,
        after: AfterSignature,
        server: FhirServer | None,
        warn: Callable[[str | None], None],
        metrics: Metrics,
        *,
        retry_max_s: float = 300.0,
        wait_s: float = 1.0,
    ) -> None:
        self._objects = objects
        self._notes = notes
        self._load = load
        self._after = after
        self._server = server
        self._warn = warn
        self._metrics = metrics
        self._letters = letters
        self._gate = asyncio.Semaphore(_POSTS)
        self._wait_s = wait_s
        self._retrying = stamina.AsyncRetryingCaller(
            attempts=_TRIES,
            timeout=None,
            wait_initial=wait_s,
            wait_max=retry_max_s,
            wait_jitter=wait_s,
        )
        self._working: dict[SlideKey, asyncio.Task[None]] = {}
        self._resting: dict[SlideKey, tuple[float, float]] = {}
        """When a slide is looked at again, and how long it rests until then."""
        self._not_before = 0.0
        """The server has asked for quiet until then."""
        self._why: dict[SlideKey, str] = {}
        """Why a slide's reports wait."""
        self._due: Mapping[SlideKey, list[int]] = {}
        self._refused = 0

    async def keep(self) -> None:
        """Work off what is due, until cancelled; begins with what an earlier run left."""
        try:
            while True:
                self._notes.woken.clear()
                await self._look()
                # Not wait_for: in Python 3.11 it may swallow the cancellation that ends us.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):
                        await self._notes.woken.wait()
        finally:
            for task in self._working.values():
                task.cancel()
            await asyncio.gather(*self._working.values(), return_exceptions=True)

    async def _look(self) -> None:
        self._due = await self._notes.by_slide()
        self._refused = len(await self._letters.names())
        for slide in {*self._why, *self._resting} - {*self._due}:
            self._why.pop(slide, None)
            self._resting.pop(slide, None)
        for slide in sorted(self._due, key=self._again_at):
            free = len(self._working) < _SLIDES and slide not in self._working
            if free and self._again_at(slide) <= time.monotonic():
                self._working[slide] = asyncio.ensure_future(self._work_off(slide))
        self._say()

    def _again_at(self, slide: SlideKey) -> float:
        return self._resting.get(slide, (0.0, 0.0))[0]

    def _pause_s(self) -> float:
        if len(self._working) >= _SLIDES:
            return _LOOK_S  # whichever ends first wakes us
        until = [at for slide, (at, _) in self._resting.items() if slide not in self._working]
        next_s = min(until, default=time.monotonic() + _LOOK_S) - time.monotonic()
        return min(max(next_s, 0.05), _LOOK_S)

    async def _work_off(self, slide: SlideKey) -> None:
        """One report after another; what holds one up holds up those behind it."""
        try:
            while numbers := (await self._notes.by_slide()).get(slide):
                if not await self._finish(ReportName(*slide, numbers[0])):
                    self._rest(slide)  # its signature is being written
                    break
            else:
                self._resting.pop(slide, None)
                self._why.pop(slide, None)
        except PutOff as put_off:
            self._rest(slide, str(put_off))
        except ReviewRefused as refused:
            self._rest(slide, f"the reviews of slide {slide.slide} are not sound: {refused.reason}")
        except Exception as error:  # noqa: BLE001  # told, tried again: other slides must go on meanwhile
            _log.exception("report_not_worked_off", site=slide.site, slide=slide.slide)
            self._rest(slide, f"a fault of the program ({type(error).__name__}): see its log")
        finally:
            del self._working[slide]
            self._notes.woken.set()

    async def _finish(self, name: ReportName) -> bool:
        """Do all that is due of one report; False where it is not signed yet."""
        case = await self._load(name.site, name.slide)
        if name.number not in {report.number for report in case.review.reports}:
            written = case.review.number >= name.number  # by somebody who signed nothing
            if not written and await self._notes.age(name) < _ABANDONED:
                return False
            await self._notes.drop(name)
            return True
        try:
            bundle = await self._after.make(case, name.number)
            await self._post(name, bundle)
        except (ReportError, FhirError) as error:
            # Its words stay in the letter: they may repeat a reader's.
            _log.error("report_not_made", cause=type(error).__name__, **name._asdict())
            await self._letters.write(name, 0, (), str(error))
        except FhirRefused as refused:
            self._metrics.posted.labels("refused").inc()
            _log.error("report_refused", detail=str(refused), **name._asdict())
            await self._letters.write(name, refused.status, refused.codes, refused.reason)
        await self._again_if_late(name)
        await self._notes.drop(name)
        return True

    async def _post(self, name: ReportName, bundle: bytes) -> None:
        """Until the server has said yes or no.

        Raises:
            FhirRefused: no.
            PutOff: it was tried many times; others have their turn.
        """
        if self._server is None:
            return
        server, slide = self._server, SlideKey(name.site, name.slide)

        async def once() -> None:
            async with self._gate:
                await asyncio.sleep(self._not_before - time.monotonic())
                await server.post(bundle)

        def may_pass(error: Exception) -> bool | float:
            if not isinstance(error, PutOff):
                return False
            self._metrics.retries.inc()
            self._hold(slide, str(error))
            if error.wait_s is None:
                return True
            self._not_before = max(self._not_before, time.monotonic() + error.wait_s)
            return max(error.wait_s, self._wait_s)

        await self._retrying(may_pass, once)
        self._why.pop(slide, None)
        self._metrics.posted.labels("taken").inc()
        _log.info("report_posted", **name._asdict())
        await self._letters.drop(name)

    async def _again_if_late(self, name: ReportName) -> None:
        """See the class: only where a later report is kept, and was posted by somebody else."""
        if self._server is None:
            return
        slide = SlideKey(name.site, name.slide)
        listed = await self._objects.sizes(keys.reports(*slide))
        found = [keys.read_report_name(key) for key in listed if key.endswith(FHIR)]
        last = max((one.number for one in found if one is not None), default=name.number)
        if last > name.number and last not in (await self._notes.by_slide()).get(slide, []):
            await self._notes.put(*slide, last)

    def _rest(self, slide: SlideKey, why: str | None = None) -> None:
        shortest, longest = _REST_S
        rested = self._resting.get(slide, (0.0, 0.0))[1]
        rest_s = min(max(2 * rested, shortest), longest)
        self._resting[slide] = (time.monotonic() + rest_s, rest_s)
        if why is not None:
            self._hold(slide, why)

    def _hold(self, slide: SlideKey, why: str) -> None:
        if self._why.get(slide) != why:
            _log.warning("report_waits", site=slide.site, slide=slide.slide, why=why)
        self._why[slide] = why
        self._say()

    def _say(self) -> None:
        waiting = sum(len(numbers) for numbers in self._due.values())
        self._metrics.due.set(waiting)
        self._metrics.dead.set(self._refused)
        said = []
        if self._why:
            wait = _reports(waiting, "waits", "wait")
            said.append(f"{wait}: {next(iter(self._why.values()))}")
        if self._refused:
            were = _reports(self._refused, "was", "were")
            said.append(f"{were} refused by the FHIR server: leukoscope-cloud outbox shows why")
        self._warn("; ".join(said) or None)


def _reports(count: int, does: str, do: str) -> str:
    return f"1 signed report {does}" if count == 1 else f"{count} signed reports {do}"
