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
    r"(?:DecodeError|MessageError|CaptureRefused|Refusal|Problem)\(\s*\"([a-z0-9-]+)\""
    r"|refuse_command\(\s*\w+,\s*\"([a-z0-9-]+)\""
    r"|_refused_here\(\s*\w+,\s*\"([a-z0-9-]+)\""
)


def codes_in_programs() -> set[str]:
    sources = (path.read_text("utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return {code for source in sources for match in RAISED.findall(source) for code in match} - {""}


def codes_in_page() -> set[str]:
    page = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE))


def test_every_reason_code_has_its_line_among_the_refusals_and_no_other_has() -> None:
    found = codes_in_programs()
    assert len(found) > 15  # the pattern still fits the code
    assert found == codes_in_page()


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
