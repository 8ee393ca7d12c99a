from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cloud.reviews.entry import ROOT, Entry, Reclassify, Report, See, Sign, basis
from cloud.reviews.steps import Step, steps

MACHINE = {"f/0": "ALL", "f/1": "Normal", "f/2": "unidentified"}
NO_REPORT = Report({}, {}, 0, None, None)


def chain(*said):
    """Entries by reader and action, each `(reader, action)`."""
    return [
        Entry(
            site="home",
            slide="s1",
            number=number,
            before=ROOT,
            reader=reader,
            at=datetime(2026, 1, 1, tzinfo=UTC),
            basis=basis([]),
            action=action,
        )
        for number, (reader, action) in enumerate(said, 1)
    ]


def ada(label, *cells):
    return "ada", Reclassify(list(cells), label)


def grace(label, *cells):
    return "grace", Reclassify(list(cells), label)


def taken(*said):
    return steps(chain(*said), "ada", MACHINE)


def test_the_last_step_comes_first_and_gives_back_what_was_before():
    assert taken(ada("AML", "f/0"), ada("Normal", "f/0", "f/2")) == [
        Step(2, (Reclassify(["f/0"], "AML"), Reclassify(["f/2"], "unidentified"))),
        Step(1, (Reclassify(["f/0"], "ALL"),)),
    ]


def test_a_step_taken_back_is_gone_and_the_one_before_can_follow_on_the_same_cell():
    said = [ada("AML", "f/0"), ada("Normal", "f/0"), ada("AML", "f/0")]
    assert taken(*said) == [Step(1, (Reclassify(["f/0"], "ALL"),))]
    assert taken(*said, ada("ALL", "f/0")) == []


def test_a_step_over_cells_of_several_labels_is_taken_back_in_several_entries():
    said = [ada("AML", "f/0", "f/1"), ada("ALL", "f/0")]
    assert taken(*said) == [Step(1, (Reclassify(["f/1"], "Normal"),))]
    assert taken(*said, ada("Normal", "f/1")) == []


def test_what_somebody_else_named_since_is_theirs():
    assert taken(ada("AML", "f/0", "f/1"), grace("excluded", "f/1")) == [
        Step(1, (Reclassify(["f/0"], "ALL"),))
    ]
    assert taken(ada("AML", "f/0"), grace("excluded", "f/0")) == []
    assert taken(grace("AML", "f/0")) == []


def test_to_confirm_a_cell_changes_nothing_and_seeing_is_no_step():
    assert taken(ada("ALL", "f/0"), ("ada", See(["f/1"]))) == []


def test_a_signature_ends_all_steps():
    assert taken(ada("AML", "f/0"), ("ada", Sign(NO_REPORT))) == []


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ada", "grace"]),
        st.sampled_from(["ALL", "AML", "Normal", "unidentified", "excluded"]),
        st.sets(st.sampled_from(sorted(MACHINE)), min_size=1),
    ),
    max_size=12,
)


@given(ACTS)
def test_to_undo_again_and_again_comes_to_an_end_with_the_machine_s_word_where_no_other_spoke(acts):
    said = [(who, Reclassify(sorted(cells), label)) for who, label, cells in acts]
    while left := taken(*said):
        said += [("ada", change) for change in left[0].back]
        assert len(taken(*said)) == len(left) - 1
    labels = dict(MACHINE)
    for _, action in said:
        labels |= dict.fromkeys(action.cells, action.label)
    others = {cell for who, _, cells in acts if who == "grace" for cell in cells}
    assert {cell: labels[cell] for cell in MACHINE.keys() - others} == {
        cell: MACHINE[cell] for cell in MACHINE.keys() - others
    }
