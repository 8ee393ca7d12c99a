"""What was written before there was a second reader is read byte for byte as it was."""

import json
from pathlib import Path

import pytest
from reading_desk import Room, run
from slide_results import memory

from cloud.reviews.entry import read
from cloud.stores import keys

OLD = Path(__file__).parents[2] / "data" / "reviews" / "before-second-reader.json"
"""A slide's objects as the program of commit 7ad303c wrote them: seen, named, waived, two remarks,
signed, amended."""


def old():
    return json.loads(OLD.read_text())


@pytest.mark.parametrize("key", [key for key in old() if key.startswith(keys.REVIEWS)])
def test_an_old_entry_is_in_the_form_in_which_entries_are_written(key):
    _, entry = read(old()[key].encode())
    assert keys.review(entry.site, entry.slide, entry.number) == key


@pytest.mark.parametrize("second_reader", [False, True])
def test_an_old_chain_is_sound_and_goes_on_whatever_the_site_asks_for_now(second_reader):
    async def check():
        store, objects = memory()
        for key, text in old().items():
            await objects.put(key, text.encode())
        here = Room(store, objects, second_reader=second_reader)
        examined = await here.examine()
        assert examined.findings == []
        assert [report.number for report in examined.review.reports] == [6, 7]
        assert all(report.first is None for report in examined.review.reports)
        case = await here.amend("years later")
        assert case.review.state == "amended"
        assert (await here.examine()).findings == []

    run(check())
