"""What a person sees of a demo: each field on its way, then the sum."""

from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from deploy.local.journey import Journey, Journeys
from wire.words import RESEARCH_USE_ONLY

_ROWS: Final = 24
_STEPS: Final = ("captured", "saved", "stored", "received")
_SHORT: Final = {"unidentified": "unsure"}
_COLOURS: Final = {"ALL": "red", "AML": "magenta", "Normal": "green", "unidentified": "yellow"}


class DemoView:
    """Renders the run; give it to `rich.live.Live` as `get_renderable`.

    Args:
        journeys: of the run.
        planned: fields, where that is known.
    """

    def __init__(self, journeys: Journeys, planned: int | None) -> None:
        self._journeys = journeys
        self.now = "starting"
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task("fields received", total=planned)

    def __call__(self) -> RenderableType:
        """The picture of this moment."""
        done = sum(j.state in {"received", "refused"} for j in self._journeys.all)
        self._progress.update(self._task, completed=done)
        parts: list[RenderableType] = [Text(self.now, style="dim")]
        if self._journeys.all:
            parts = [_table(self._journeys.all[-_ROWS:]), self._progress, *parts]
        return Group(*parts)


def _table(shown: list[Journey]) -> Table:
    table = Table(
        caption=RESEARCH_USE_ONLY, caption_style="dim", header_style="bold", box=SIMPLE_HEAD
    )
    table.add_column("field", justify="right", no_wrap=True, min_width=5)
    table.add_column("slide", no_wrap=True)
    table.add_column(" ".join(_STEPS), no_wrap=True, min_width=30)
    table.add_column("white cells", no_wrap=True, ratio=1)
    for journey in shown:
        table.add_row(str(journey.number), journey.slide[:6], _way(journey), _said(journey))
    return table


def _way(journey: Journey) -> str:
    """The steps taken, each under its name in the heading."""
    if journey.state == "refused":
        return "[green]✓[/green]        [red]refused[/red]"
    reached = _STEPS.index(journey.state)
    marks = [
        ("[green]✓[/green]" if number <= reached else "[dim]·[/dim]") + " " * len(step)
        for number, step in enumerate(_STEPS)
    ]
    return "".join(marks).rstrip()


def _said(journey: Journey) -> str:
    if journey.result is None:
        return journey.refusal
    counts = [
        _coloured(label, f"{n} {_SHORT.get(label, label)}")
        for label, n in journey.result.counts.items()
        if n
    ]
    return " ".join(counts) or "none found"


def _coloured(label: str, text: str) -> str:
    return f"[{_COLOURS[label]}]{text}[/{_COLOURS[label]}]"


def show_summary(summary: dict[str, Any], console: Console) -> None:
    """Print what the run came to."""
    console.print()
    console.print(Panel(_sentences(summary), title="Summary", expand=False))
    table = Table(title="Milliseconds per field", header_style="bold")
    for column in ("stage", "p50", "p99"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage, values in summary["milliseconds"].items():
        table.add_row(stage.replace("_", " "), f"{values['p50']:.1f}", f"{values['p99']:.1f}")
    console.print(table)
    console.print(f"Results: {summary['results']}", soft_wrap=True, highlight=False)
    console.print("         one .json and one .jpg per capture")
    console.print(f"State:   {summary['data']}", soft_wrap=True, highlight=False)
    console.print("         the next run finds it again; `leukoscope up` serves it")
    console.print(f"[dim]{summary['notice']}[/dim]")


def _sentences(summary: dict[str, Any]) -> str:
    lines = [
        "{captured} captured, {saved} saved, {stored} stored, {published} published, "
        "{receipted} receipted; {refused} refused, {duplicates} duplicates, {lost} lost".format(
            **summary
        ),
        "fields: " + _counted(summary["fields_by_label"]),
        "white cells: " + _counted(summary["cells_by_label"]),
    ]
    if agreement := summary["agreement"]:
        share = agreement["share"]
        said = (
            "no cell was identified" if share is None else f"{share:.1%} of identified cells agree"
        )
        lines.append(
            f"against the simulator's ground truth: {said} ({agreement['agreed']} agree; "
            f"{agreement['found']} of {agreement['drawn']} drawn cells found, "
            f"{agreement['unidentified']} unidentified; {agreement['extra']} more were found, "
            "most of them cut by the field's edge)"
        )
    lines += [f"refused {n}×: {sentence}" for sentence, n in summary["refusals"].items()]
    return "\n".join(lines)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {label}" for label, n in sorted(counts.items())) or "none"
