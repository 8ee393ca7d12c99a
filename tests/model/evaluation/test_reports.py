"""The pages: what stands on them, and that nothing they need lies elsewhere."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from runs import realistic_run, simple_run
from typer.testing import CliRunner

from model.cli import app
from model.evaluation import paper
from model.evaluation.compare import compare_runs
from model.evaluation.evaluate import evaluate_run
from model.evaluation.page import NOTICE
from model.evaluation.run_page import KEEP_TO_YOURSELF

VOID = {"meta", "img", "link", "br", "hr"}


class Checker(HTMLParser):
    """Collects what a page loads, and checks that its elements close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.loads += [v for n, v in attrs if n in ("src", "href", "xlink:href", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.loads += [v for n, v in attrs if n in ("src", "href", "xlink:href", "srcset")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(html: str) -> None:
    checker = Checker()
    checker.feed(html)
    assert not checker.open
    elsewhere = [one for one in checker.loads if not one.startswith(("#", "data:image/"))]
    assert not elsewhere, "the page loads something"
    assert not re.search(r"url\((?!#)|@import|<script", html)
    assert NOTICE in html
    assert "width=device-width" in html


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return realistic_run(tmp_path_factory.mktemp("runs") / "run", pictures=True)


@pytest.fixture(scope="module")
def report(run: Path) -> Path:
    evaluate_run(run, run / "report")
    return run / "report"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    runs = [
        realistic_run(folder / f"{title}-{split}-{seed}", title=title, seed=seed, split=split)
        for title, split, seed in (
            ("AC-GAN", "group", 1),
            ("AC-GAN", "group", 2),
            ("VGG-16 <ImageNet>", "group", 1),
            ("AC-GAN", "random", 1),
        )
    ]
    binary = realistic_run(folder / "binary", title="SVM", labels=("ALL", "Normal"))
    compare_runs([*runs, binary], folder / "report", "Made-up runs & their figures")
    return folder / "report"


def test_the_report_on_a_run_is_one_page_that_needs_nothing_else(report: Path) -> None:
    check((report / "report.html").read_text())


def test_markdown_names_pictures_that_are_there(report: Path, compared: Path) -> None:
    for folder in (report, compared):
        text = (folder / "report.md").read_text()
        assert NOTICE in text
        named = re.findall(r"\]\(([^)]+\.png)\)", text)
        assert len(named) >= 5
        assert all((folder / name).stat().st_size > 2000 for name in named)


def test_every_markdown_table_has_as_many_fields_in_each_line(report: Path, compared: Path) -> None:
    for folder in (report, compared):
        blocks = re.findall(r"(?:^\|.*\n)+", (folder / "report.md").read_text(), re.M)
        assert len(blocks) > 8
        for block in blocks:
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, block


def test_numbers_of_the_json_are_those_of_the_pages(tmp_path: Path) -> None:
    run = simple_run(tmp_path / "run", "A" * 10 + "N" * 10, "A" * 9 + "N" * 11)
    evaluate_run(run, tmp_path / "report")
    facts = json.loads((tmp_path / "report/report.json").read_text())
    scores = facts["scopes"][0]
    assert scores["confusion"] == [[9, 1], [0, 10]]
    assert scores["accuracy"] == pytest.approx([0.95, 0.7639, 0.9911], abs=1e-4)
    assert scores["auroc_aml_normal"] == [None, None, None], "no value is null, not NaN"
    text = (tmp_path / "report/report.md").read_text()
    assert "| made (group, held out) | 0.950 (0.764 to 0.991) | 1.000" in text
    assert "Table 2 of the paper" in text, "ALL and Normal alone is its binary experiment"


def test_the_papers_rows_stand_beside_ours(compared: Path) -> None:
    text = (compared / "report.md").read_text()
    for name, accuracy in (("Table 2", "0.9865"), ("Table 3", "0.9550")):
        assert f"{name} of the paper, and ours" in text
        assert f"*AC-GAN (paper, random split)* | {accuracy}" in text


def test_the_papers_accuracies_are_shares_of_its_images() -> None:
    for table in (paper.TABLE_2, paper.TABLE_3):
        for row in table.rows:
            share = round(row.accuracy * table.images) / table.images
            assert abs(share - row.accuracy) < 0.0007, (table.name, row.network)
            low, high = paper.accuracy(table, row)[1:]
            assert low < row.accuracy < high


def test_a_leaking_split_says_so_in_red_in_every_table(tmp_path: Path, compared: Path) -> None:
    run = simple_run(tmp_path / "run", "AAMMNN", "AAMNNN", split="random")
    evaluate_run(run, tmp_path / "report")
    html = (tmp_path / "report/report.html").read_text()
    assert html.count('<p class="warning small">') == html.count("<table") > 6
    markdown = (tmp_path / "report/report.md").read_text()
    assert markdown.count("🔴") == html.count("<table") + 1
    html = (compared / "report.html").read_text()
    for table in re.findall(r"<h3>.*?</table>", html, re.S):
        for row in re.findall(r"<tr.*?</tr>", table, re.S):
            if "<small>random" in row:
                assert 'class="leaks"' in row
                assert '<p class="warning small">' in table
    assert html.count('<tr class="leaks">') >= 5


def test_nothing_is_red_where_nothing_leaks(report: Path) -> None:
    assert 'class="leaks"' not in (report / "report.html").read_text()


def test_titles_cannot_write_into_the_page(compared: Path) -> None:
    html = (compared / "report.html").read_text()
    check(html)
    assert "VGG-16 &lt;ImageNet&gt;" in html
    assert "<ImageNet>" not in html


def test_seeds_are_put_together_with_their_spread(compared: Path) -> None:
    facts = json.loads((compared / "report.json").read_text())
    first = facts["entries"][0]
    assert (first["title"], len(first["runs"])) == ("AC-GAN", 2)
    each = [run["figures"]["accuracy"] for run in first["runs"]]
    assert first["scopes"][0]["accuracy"][0] == pytest.approx(sum(each) / 2)
    mean, low = sum(each) / 2, min(each)
    text = (compared / "report.md").read_text()
    spread = text[text.index("## Over seeds") :]
    assert re.search(rf"{mean:.3f} ± \d\.\d{{3}} \({low:.3f} to {max(each):.3f}\)", spread)


def test_the_worst_errors_are_shown_and_must_not_be_passed_on(report: Path) -> None:
    assert (report / "errors.png").exists()
    html = (report / "report.html").read_text()
    assert KEEP_TO_YOURSELF in html
    assert html.count("data:image/png;base64,") == 1


def test_a_comparison_and_a_report_without_pictures_show_no_cell(
    compared: Path, tmp_path: Path
) -> None:
    run = simple_run(tmp_path / "run", "AAN", "ANN", pictures=True)
    evaluate_run(run, tmp_path / "with")
    assert (tmp_path / "with/errors.png").exists()
    evaluate_run(run, tmp_path / "without", pictures=False)
    for folder in (compared, tmp_path / "without"):
        assert not (folder / "errors.png").exists()
        assert "data:image/png" not in (folder / "report.html").read_text()


def test_the_same_run_gives_the_same_report(tmp_path: Path) -> None:
    run = simple_run(tmp_path / "run", "AAMMNNN", "AAMNNNN", pictures=True)
    for name in ("once", "again"):
        evaluate_run(run, tmp_path / name)
    for file in sorted((tmp_path / "once").iterdir()):
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_rescaling_and_sets_are_tried_where_there_is_a_validation_part(report: Path) -> None:
    facts = json.loads((report / "report.json").read_text())
    assert [one["how"].split(" ")[0] for one in facts["rescalings"]] == ["as", "a", "vector"]
    sets = facts["conformal"]
    assert sets["coverage"][1] <= 0.95 <= sets["coverage"][2]
    assert sum(sets["sizes"].values()) == facts["scopes"][1]["cells"]


def test_evaluate_answers_a_person_and_a_program(tmp_path: Path) -> None:
    run = simple_run(tmp_path / "run", "AAN", "ANN", title="AC-GAN")
    said = CliRunner().invoke(app, ["evaluate", str(run), "--json"])
    assert said.exit_code == 0, said.output
    facts = json.loads(said.stdout)
    assert facts["report"] == str(run / "report")
    assert facts["scopes"][0]["scope"] == "held out"
    said = CliRunner().invoke(app, ["compare", str(run), "--out", str(tmp_path / "compared")])
    assert said.exit_code == 0, said.output
    assert "AC-GAN" in said.stdout
    assert (tmp_path / "compared/report.html").exists()


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["evaluate", str(tmp_path)])
    assert said.exit_code == 1
    assert "is not a finished run" in said.stderr


def test_no_tensorflow_is_started(tmp_path: Path) -> None:
    run = simple_run(tmp_path / "run", "AN", "AN")
    program = (
        "import sys; from model.cli import main; sys.argv[1:] = ['evaluate', sys.argv[1]]\n"
        "try: main()\nfinally: assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program, run], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (run / "report/report.html").exists()
