"""A scan's fields lie on a serpentine that covers the area once."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.scan.plan import Area, Plan, serpentine
from edge.scan.settings import ScanSettings
from edge.stage.base import Place


def test_the_way_goes_there_and_back_row_below_row():
    places = list(serpentine(Area(100, 50, 30, 20), 10, 10))
    assert [(p.x, p.y) for p in places] == [
        (100, 50), (110, 50), (120, 50),
        (120, 60), (110, 60), (100, 60),
    ]  # fmt: skip  # a picture of the way


lengths = st.floats(1, 300)


@settings(max_examples=60, deadline=None)
@given(lengths, lengths, st.floats(20, 60), st.floats(20, 60))
def test_every_field_is_visited_once_each_a_step_from_the_last(width, height, across, down):
    plan = Plan(Area(-50, 7, width, height), across, down)
    places = list(serpentine(plan.area, across, down))
    assert len(places) == len(plan) == plan.columns * plan.rows
    assert len({(p.x, p.y) for p in places}) == len(plan)
    for one, next_one in pairwise(places):
        moved = abs(next_one.x - one.x), abs(next_one.y - one.y)
        assert moved in [pytest.approx((across, 0)), pytest.approx((0, down))]
    covered = max(p.x for p in places) + across, max(p.y for p in places) + down
    assert covered[0] >= -50 + width - 1e-3
    assert covered[1] >= 7 + height - 1e-3


def test_an_area_of_exactly_three_fields_is_not_four():
    assert Plan(Area(0, 0, 3 * 0.1, 0.1), 0.1, 0.1).columns == 3


@pytest.mark.parametrize("index", [-1, 6])
def test_there_is_no_field_beyond_the_last(index):
    with pytest.raises(IndexError, match=f"no field {index} in a scan of 6"):
        Plan(Area(0, 0, 30, 20), 10, 10).place(index)


def test_a_plan_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="above 0 µm"):
        Plan(Area(0, 0, 30, 20), 0, 10)
    with pytest.raises(ValueError, match="above 0 µm"):
        Plan(Area(0, 0, float("nan"), 20), 10, 10)
    with pytest.raises(ValueError, match=r"1000000 fields are too many .* smaller area"):
        Plan(Area(0, 0, 1000, 1000), 1, 1)


def test_the_settings_plan_an_area_from_where_the_stage_is():
    plan = ScanSettings(field_um=(50, 40), area_um=(100, 120)).plan(Place(7, 9, 3))
    assert (plan.columns, plan.rows) == (2, 3)
    assert plan.place(0) == Place(7, 9)
    with pytest.raises(ValueError, match="fields are too many"):
        ScanSettings(field_um=(1, 1), area_um=(1000, 1000))
    with pytest.raises(ValueError, match="above 0 µm"):
        ScanSettings(field_um=(0, 1))
