"""The pages say what the code does: reason codes, examples of messages, research use only."""

import ast
import json
import re
from collections.abc import Iterator
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


CODE = re.compile(r"[a-z]+(?:-[a-z]+)*")
VERDICTS = {
    "PageRefused", "ReviewRefused", "AccountRefused", "PictureError", "PushRefused", "OidcError",
    "failed", "ErrorView", "DoneInPartError",
}  # fmt: skip
"""What the cloud says no with: its first text of small letters and hyphens is the code."""
PASSED_ON = {"code", "reason"}
"""Names of a code that comes from one of those."""


def sources() -> list[str]:
    return [path.read_text("utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py")]


def codes_in_page() -> list[str]:
    page = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([a-z0-9-]+)`(?:\{ #\1 \})? \|", page, re.MULTILINE)


def test_every_reason_code_has_its_line_among_the_refusals() -> None:
    found = {code for source in sources() for match in RAISED.findall(source) for code in match}
    assert len(found) > 40  # the pattern still fits the code
    assert found - {""} - set(codes_in_page()) == set()


def codes_of_the_cloud() -> Iterator[tuple[str, str]]:
    """Each place in the cloud that says no, and the code that it says."""
    for path in (ROOT / "cloud").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and _is_verdict(node):
                yield f"{path}:{node.lineno}", _code(_super_call(node).args)
            elif isinstance(node, ast.Call) and _name(node.func) in VERDICTS:
                yield f"{path}:{node.lineno}", _code(node.args)
        yield from _constants(path, tree)


def _is_verdict(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(_name(base) in VERDICTS for base in node.bases)


def _super_call(node: ast.ClassDef) -> ast.Call:
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and _name(n.func) == "__init__"]
    return calls[0]


def _name(node: ast.expr) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


def _code(arguments: list[ast.expr]) -> str:
    """The code among the arguments; empty where it is passed on; `?` where nobody could tell."""
    for one in arguments:
        if _name(one) in PASSED_ON:
            return ""
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            return one.value if CODE.fullmatch(one.value) else "?"
    return "?"


def _constants(path: Path, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Codes with their sentences as a constant, and the arguments of a file's own `_error`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Tuple):
            texts = [one.value for one in node.value.elts if isinstance(one, ast.Constant)]
            if len(texts) == 3 and CODE.fullmatch(str(texts[0])) and str(texts[1]).endswith("."):
                yield f"{path}:{node.lineno}", str(texts[0])
        elif isinstance(node, ast.Call) and _name(node.func) == "_error" and len(node.args) > 2:
            yield f"{path}:{node.lineno}", _code(node.args)


def test_every_code_of_the_reading_room_has_its_line_among_the_refusals() -> None:
    found = dict(codes_of_the_cloud())
    assert [place for place, code in found.items() if code == "?"] == []
    assert len(set(found.values())) > 50  # the names above still fit the code
    shown = "".join(path.read_text("utf-8") for path in (ROOT / "cloud/page").rglob("*.html"))
    in_pages = set(re.findall(r"#[a-z-]+\"><code>([a-z-]+)</code>", shown))
    assert in_pages, "the page says by itself that the room does not answer"
    assert {*found.values(), *in_pages} - {""} - set(codes_in_page()) == set()


def test_the_codes_of_pictures_are_those_that_their_type_allows() -> None:
    from typing import get_args

    from cloud.pictures.problem import PictureCode

    assert set(get_args(PictureCode)) - set(codes_in_page()) == set()


def test_every_line_of_the_refusals_is_of_a_code_that_the_programs_have() -> None:
    pages = [path for room in ("edge", "cloud") for path in (ROOT / room / "page").rglob("*.html")]
    shown = "".join(path.read_text("utf-8") for path in pages)
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
