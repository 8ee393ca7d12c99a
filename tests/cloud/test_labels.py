from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.classifier import Suggestion
from cloud.labels import count, label_field


def cells(*, ALL=0, AML=0, Normal=0, unidentified=0, sure=0.9):  # noqa: N803  # the labels' own names
    numbers = {"ALL": ALL, "AML": AML, "Normal": Normal, "unidentified": unidentified}
    return [
        Suggestion(label, sure, {"ALL": sure, "AML": 0.05, "Normal": 0.05}, 0.8)
        for label, n in numbers.items()
        for _ in range(n)
    ]


@pytest.mark.parametrize(
    ("given_cells", "label", "sentence"),
    [
        ({}, "unidentified", "No white cell was found in this field."),
        (
            {"unidentified": 1},
            "unidentified",
            "The model is not sure of the white cell in this field.",
        ),
        (
            {"unidentified": 3},
            "unidentified",
            "The model is not sure of the 3 white cells in this field.",
        ),
        ({"Normal": 1}, "Normal", "1 of 1 identified white cell is suggested Normal."),
        ({"Normal": 4}, "Normal", "4 of 4 identified white cells are suggested Normal."),
        ({"ALL": 1}, "ALL", "1 of 1 identified white cell is suggested ALL."),
        ({"ALL": 1, "Normal": 4}, "ALL", "1 of 5 identified white cells are suggested ALL."),
        ({"ALL": 1, "Normal": 5}, "Normal", "5 of 6 identified white cells are suggested Normal."),
        ({"AML": 2, "Normal": 1}, "AML", "2 of 3 identified white cells are suggested AML."),
        (
            {"ALL": 1, "Normal": 4, "unidentified": 9},
            "ALL",
            "1 of 5 identified white cells are suggested ALL.",
        ),
        (
            {"ALL": 2, "AML": 1, "Normal": 9},
            "ALL",
            "3 of 12 identified white cells are suggested ALL (2) or AML (1).",
        ),
    ],
)
def test_a_field_s_label_and_sentence_follow_from_its_cells(given_cells, label, sentence):
    assert label_field(cells(**given_cells)) == (label, sentence)


def test_blasts_of_two_kinds_count_together_so_that_neither_hides_the_other():
    label, sentence = label_field(cells(ALL=3, AML=3, Normal=14))
    assert label in {"ALL", "AML"}
    assert sentence.startswith("6 of 20 ")


def test_of_two_kinds_of_blasts_the_larger_summed_probability_is_suggested():
    field = cells(ALL=2, sure=0.5) + cells(AML=1, sure=0.99) + cells(AML=1, sure=0.6)
    assert label_field(field)[0] == "AML"


@given(*(st.integers(0, 60) for _ in range(4)))
def test_the_threshold_is_exactly_a_fifth_of_the_identified_cells(
    lymphoid, myeloid, normal, unsure
):
    field = cells(ALL=lymphoid, AML=myeloid, Normal=normal, unidentified=unsure)
    identified = lymphoid + myeloid + normal
    label, sentence = label_field(field)
    if identified == 0:
        assert label == "unidentified"
    elif Fraction(lymphoid + myeloid, identified) >= Fraction(1, 5):
        assert label == ("ALL" if lymphoid >= myeloid else "AML")
    else:
        assert label == "Normal"
    assert sentence.endswith(".")


def test_every_label_is_counted_also_the_absent_ones():
    assert count(cells(AML=2, unidentified=1)) == {
        "ALL": 0,
        "AML": 2,
        "Normal": 0,
        "unidentified": 1,
    }
