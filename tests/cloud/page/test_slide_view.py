import pytest
from reading_desk import room, run
from report_slides import at_stage, case_of

from cloud.page.draft import Change, Draft, read_draft
from cloud.page.gallery import PAGE, bins, more_of, named, shown_of
from cloud.page.slide_view import view_of
from cloud.reviews.entry import Comment, Reclassify, See, Waive
from cloud.reviews.rules import ReviewRefused
from wire.messages import Quality


def case_after(*actions, labels=(["ALL", "Normal"], ["unidentified", "AML"])):
    """A slide after what readers did; an action is given the cells by the machine's label."""

    async def made():
        async with room(labels) as here:
            for reader, action in actions:
                wanted = {
                    label: await here.cells(label)
                    for label in ("ALL", "AML", "Normal", "unidentified")
                }
                await here.do(action(wanted), reader)
            return await here.case()

    return run(made())


def by_label(view):
    return {bin_.label: bin_ for bin_ in view.bins}


def test_an_unread_slide_stands_in_the_machine_s_bins_with_nothing_seen():
    view = view_of(case_of("open"), "ada")
    assert {label: bin_.total for label, bin_ in by_label(view).items()} == {
        "ALL": 1, "AML": 1, "Normal": 4, "unidentified": 1, "excluded": 0,
    }  # fmt: skip
    assert (view.mode, view.flagged, view.seen, view.left) == ("review", 2, 0, 1)
    assert not view.ready
    assert [bin_.unseen for bin_ in view.bins] == [1, 1, 0, 0, 0]
    assert view.machine == view.reader


def test_within_a_bin_the_least_certain_comes_first():
    view = view_of(case_after(labels=[["Normal"] * 9, ["Normal"] * 5]), "ada")
    certain = [cell.probability for cell in by_label(view)["Normal"].cells]
    assert len(certain) == 14
    assert certain == sorted(certain)


def test_a_renamed_cell_stands_in_the_reader_s_bin_and_says_where_it_came_from():
    case = case_after(("grace", lambda cells: Reclassify(cells["AML"], "Normal")))
    (moved,) = [c for c in by_label(view_of(case, "ada"))["Normal"].cells if c.suggested == "AML"]
    assert (moved.label, moved.seen, moved.unseen) == ("Normal", True, False)
    assert by_label(view_of(case, "ada"))["AML"].total == 0


def test_figures_of_machine_and_reader_stand_side_by_side():
    case = case_after(
        ("ada", lambda cells: Reclassify(cells["unidentified"], "AML")),
        ("ada", lambda cells: Reclassify(cells["Normal"], "excluded")),
    )
    view = view_of(case, "ada")
    assert [share.count for share in view.machine.shares] == [1, 1, 1, 1]
    assert [share.count for share in view.reader.shares] == [1, 2, 0, 0]
    assert (view.machine.excluded, view.reader.excluded) == (0, 1)
    assert view.reader.blasts_per_100 == 100
    assert view.more_cells == 72 - 3
    assert view.left == 0


def test_what_is_seen_and_waived_makes_a_slide_ready():
    case = case_after(
        ("ada", lambda cells: See([*cells["ALL"], *cells["AML"]])),
        ("ada", lambda _: Waive("too pale")),
    )
    view = view_of(case, "ada")
    assert (view.seen, view.unseen, view.left, view.ready) == (2, 0, 0, True)
    assert by_label(view)["unidentified"].cells[0].waived


def test_one_s_own_last_step_can_be_undone_and_nobody_else_s():
    case = case_after(
        ("ada", lambda cells: Reclassify(cells["AML"], "ALL")),
        ("grace", lambda cells: Reclassify(cells["Normal"], "ALL")),
        ("grace", lambda cells: See(cells["ALL"])),
    )
    assert view_of(case, "ada").undo == 1
    assert view_of(case, "grace").undo == 2
    assert view_of(case, "linus").undo == 0


def test_a_remark_is_counted_at_its_cell_once():
    case = case_after(("ada", lambda cells: Comment("odd nucleus", cells["ALL"] * 2)))
    assert by_label(view_of(case, "ada"))["ALL"].cells[0].remarks == 1


def test_a_signed_slide_shows_the_signed_figures_and_which_fields_came_later():
    view = view_of(case_of("signed"), "ada")
    assert view.mode == "signed"
    assert view.facts.later_fields == len(view.later) == 1
    assert sum(share.count for share in view.reader.shares) + view.reader.excluded == 7
    assert view.cells == 8
    later = [cell for bin_ in view.bins for cell in bin_.cells if cell.later]
    assert [cell.field for cell in later] == list(view.later)
    assert len(view.fields) == 4


def test_a_field_with_something_wrong_says_what():
    (problem,) = view_of(case_of("open"), "ada").problems
    assert problem.problem.code == "out-of-focus"


def test_fields_of_which_nothing_was_measured_are_counted():
    async def measured():
        async with room([["ALL"]]) as here:
            await here.field(5, ["Normal"], quality=Quality(0.9, 0.7, 0.0, 1.0, 0.4))
            return await here.case()

    view = view_of(run(measured()), "ada")
    assert (view.unmeasured, view.problems) == (1, ())


def test_a_draft_shows_the_slide_as_it_would_be_and_changes_nothing():
    case = case_of("signed")
    pale = [name for name, label in case.slide.machine.items() if label == "unidentified"]
    view = view_of(case, "ada", draft=Draft([Change(pale, "ALL")]))
    assert view.mode == "amend"
    assert by_label(view)["unidentified"].total == 0
    assert view.changes == (Reclassify(pale, "ALL"),)
    assert sum(share.count for share in view.reader.shares) + view.reader.excluded == 8
    assert view_of(case, "ada").mode == "signed"
    assert case.review.labels.get(pale[0]) is None


def test_a_draft_keeps_a_cell_s_last_label_and_nothing_that_is_as_signed():
    case = case_of("signed")
    normal = [name for name, label in case.slide.machine.items() if label == "Normal"][:2]
    there_and_back = Draft([Change(normal, "ALL"), Change(normal[:1], "Normal")])
    assert there_and_back.tidy(case) == [Reclassify(normal[1:], "ALL")]


def test_a_draft_on_a_slide_that_is_not_signed_is_of_no_use():
    assert view_of(case_of("open"), "ada", draft=Draft()).mode == "review"


@pytest.mark.parametrize("asked", ["", "[]", '{"changes":[{"cells":[],"label":"ALL"}]}', '{"x":1}'])
def test_what_is_no_draft_is_refused(asked):
    with pytest.raises(ReviewRefused) as refused:
        read_draft(asked)
    assert refused.value.reason == "draft-invalid"


def test_a_proposal_says_whose_turn_it_is():
    async def proposed():
        async with at_stage("in review") as here:
            from reading_desk import KEY, TRUSTED

            from cloud.reviews.desk import Desk

            two = Desk(here.objects, KEY, TRUSTED, here.sums, lambda *_: None, second_reader=True)
            return await two.sign("home", "s1", "grace", **await here.seen())

    case = run(proposed())
    assert view_of(case, "grace").mine
    assert not view_of(case, "ada").mine
    assert view_of(case, "ada").proposal.reader == "grace"


def test_pages_of_a_bin_hold_every_cell_once_and_the_counts_are_whole():
    case = case_after(labels=[["Normal"] * 150 + ["ALL"], ["Normal"] * 150, ["Normal"] * 130])
    first = bins(case, case.review, {})[2]
    assert (first.label, first.total, first.end, first.more) == ("Normal", 430, PAGE, PAGE)
    second = more_of(case, case.review, "Normal", first.end)
    assert (second.start, second.end, second.more) == (200, 400, 30)
    third = more_of(case, case.review, "Normal", second.end)
    names = [cell.name for page in (first, second, third) for cell in page.cells]
    assert len(names) == len(set(names)) == 430
    whole = bins(case, case.review, {"Normal": 430})[2]
    assert [cell.name for cell in whole.cells] == names


def test_unseen_cells_behind_what_is_shown_are_counted():
    case = case_after(labels=[["ALL"] * 150, ["ALL"] * 150])
    first = bins(case, case.review, {})[0]
    assert (first.unseen, first.unseen_behind) == (300, 100)


def test_what_a_page_says_it_shows_is_read_and_nonsense_left():
    assert shown_of("ALL:400 AML:200 Normal:-1 x:3 ALL") == {"ALL": 400, "AML": 200}
    assert named(" a/b/1  a/b/2\na/b/1 ") == ["a/b/1", "a/b/2"]
