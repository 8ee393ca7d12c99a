"""The pages say what the code does: reason codes, examples of messages, research use only."""

import json
import re
from pathlib import Path

import pytest

from wire import topics

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
ROOMS = ("wire", "imaging", "edge", "cloud")
RAISED = re.compile(
    r"(?:DecodeError|MessageError|CaptureRefused|CalibrationError|Refusal|Problem|Trouble|\.note"
    r"|handbook\.error|super\(\).__init__)\(\s*\"([a-z0-9]+(?:-[a-z0-9]+)+)\""
    r"|refuse_command\(\s*\w+,\s*\"([a-z0-9-]+)\""
    r"|_refused_here\(\s*\w+,\s*\"([a-z0-9-]+)\""
)


def sources() -> list[str]:
    return [path.read_text("utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py")]


def codes_in_page() -> list[str]:
    page = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([a-z0-9-]+)`(?:\{ #\1 \})? \|", page, re.MULTILINE)


def test_every_reason_code_has_its_line_among_the_refusals() -> None:
    found = {code for source in sources() for match in RAISED.findall(source) for code in match}
    assert len(found) > 40  # the pattern still fits the code
    assert found - {""} - set(codes_in_page()) == set()


def test_every_line_of_the_refusals_is_of_a_code_that_the_programs_have() -> None:
    shown = "".join(path.read_text("utf-8") for path in (ROOT / "edge/page").rglob("*.html"))
    programs = "".join(sources()) + shown.replace(">", '"').replace("<", '"')
    assert [code for code in codes_in_page() if f'"{code}"' not in programs] == []
    assert len(codes_in_page()) == len(set(codes_in_page()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_says_research_use_only(page: Path) -> None:
    assert "Research use only" in page.read_text(encoding="utf-8")


def test_the_json_in_the_page_on_messages_is_the_golden_json(golden: Path) -> None:
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    pinned = [json.loads(path.read_bytes()) for path in golden.glob("*.json")]
    assert sorted(map(repr, shown)) == sorted(map(repr, pinned))


def test_the_page_on_messages_names_every_topic() -> None:
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"leukoscope/1/[^`]+", page))
    channels = ("frames", "receipts", "status", "commands", "replies")
    assert {f"{topics.ROOT}/{{site}}/{{device}}/{channel}" for channel in channels} < shown
    for name in ("results/{device}", "slides/{slide}", "reviews/{slide}", "models"):
        assert f"{topics.ROOT}/{{site}}/{name}" in shown
