import random
import threading

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from made_chains import begun, chain, signed
from slide_results import BEGIN, field_result

from cloud.index.index import Index, IndexTroubleError, SlideKey
from cloud.index.tables import about, cells, fields
from cloud.index.urgency import urgency
from cloud.index.worklist import DONE, Wanted, one, page, totals
from cloud.reviews.entry import ROOT, Comment
from cloud.slides.tally import Field, add_up

LABELS = ("ALL", "AML", "Normal", "unidentified")


def test_a_slide_s_line_is_what_its_fields_add_up_to(index):
    results = [
        field_result(n, labels)
        for n, labels in enumerate([["ALL", "Normal"], ["Normal"] * 4, [], ["unidentified"]])
    ]
    index.put(results)
    line = one(index, "home", "s1")
    told = add_up("home", "s1", [Field.of(result) for result in results])
    assert (line.fields, line.cells, line.counts) == (told.fields, told.cells, told.counts)
    assert (line.blasts_per_100, line.blasts_interval) == (
        told.blasts_per_100,
        told.blasts_interval,
    )
    assert (line.waiting_since, line.updated_at) == (BEGIN, told.updated_at)
    assert (line.state, line.urgency) == ("open", "blasts possible" if line.rank else "blasts")


def test_every_cell_and_its_field_is_found_again(index):
    result = field_result(1, ["AML", "unidentified"])
    index.put([result])
    with index.engine.connect() as connection:
        (field,) = connection.execute(sa.select(fields)).mappings()
        rows = connection.execute(sa.select(cells).order_by(cells.c.n)).mappings().all()
    assert field["image_key"] == result.image_key
    assert field["model_sha256"] == result.model.sha256
    assert field["captured_at"] == result.captured_at
    for row, cell in zip(rows, result.cells, strict=True):
        assert (row["x"], row["y"], row["w"], row["h"]) == (
            cell.box.x, cell.box.y, cell.box.w, cell.box.h,
        )  # fmt: skip
        assert (row["label"], row["probability"]) == (cell.label, cell.probability)
        assert row["probabilities"] == cell.probabilities


def test_results_taken_in_again_in_another_order_change_nothing(index):
    results = [field_result(n, [LABELS[n % 4]], slide=f"s{n % 3}") for n in range(9)]
    index.put(results)
    before = list(index.digests())
    random.Random(1).shuffle(results)
    for result in results:
        index.put([result])
    assert list(index.digests()) == before
    assert [key.slide for key, _ in before] == ["s0", "s1", "s2"]


def test_two_writers_at_one_slide_lose_nothing(url, index):
    """Each adds up what both have put in: the slide's row is locked before."""
    other = Index(url)
    halves = [[field_result(2 * n + half, ["ALL"]) for n in range(25)] for half in range(2)]

    def write(to, results):
        for result in results:
            to.put([result])

    threads = [
        threading.Thread(target=write, args=(to, half))
        for to, half in zip((index, other), halves, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    line = one(index, "home", "s1")
    assert (line.fields, line.cells) == (50, 50)


def test_how_far_a_chain_is_is_kept_whichever_comes_first_and_never_goes_back(index):
    results, key = [field_result(1, ["Normal"])], SlideKey("home", "s1")
    index.put_entries(key, *signed(results))
    assert one(index, *key) is None  # nothing to show of it yet
    index.put(results)
    assert one(index, *key).state == "signed"
    before = list(index.digests())
    index.put_entries(key, *begun(results))
    index.put_entries(key, *signed(results))
    index.put(results)
    assert list(index.digests()) == before
    index.put_entries(key, *chain(results, Comment("fine"), None, Comment("more"), None))
    assert one(index, *key).state == "amended"


def test_a_chain_that_grew_entry_by_entry_is_held_as_one_that_came_at_once(index, tmp_path):
    results, key = [field_result(1, ["Normal"])], SlideKey("home", "s1")
    actions = [Comment("one"), Comment("two"), Comment("three"), None]
    other = Index(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.put_entries(key, *chain(results, *actions))
    for length in (1, 3, 2, 4):
        index.put_entries(key, *chain(results, *actions[:length]))
    assert list(index.digests()) == list(other.digests())
    other.close()


def test_a_chain_that_goes_another_way_takes_the_place_of_what_was_held(index, tmp_path):
    """What is held was altered: the entries come from the bucket, which is right."""
    results, key = [field_result(1, ["Normal"])], SlideKey("home", "s1")
    index.put_entries(key, *chain(results, Comment("altered"), Comment("altered")))
    index.put_entries(key, *chain(results, Comment("one"), Comment("two"), None))
    other = Index(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.put_entries(key, *chain(results, Comment("one"), Comment("two"), None))
    assert list(index.digests()) == list(other.digests())
    other.close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda made: made[1:], "in place 1 stands entry 2"),
        (lambda made: [made[1], made[0]], "in place 1 stands entry 2"),
        (lambda made: [msgspec.structs.replace(made[0], slide="s2")], "entry 1 of home/s2"),
    ],
)
def test_entries_that_are_not_the_slide_s_chain_are_refused(spoil, says, index):
    made, head = signed([field_result(1, ["Normal"])])
    with pytest.raises(ValueError, match=says):
        index.put_entries(SlideKey("home", "s1"), spoil(made), head)
    assert list(index.digests()) == []


def test_no_entry_is_no_news(index):
    index.put_entries(SlideKey("home", "s1"), [], ROOT)
    assert list(index.digests()) == []


def test_a_field_that_comes_after_the_signature_brings_the_slide_back_until_it_is_amended(index):
    key = SlideKey("home", "s1")
    results = [field_result(n, ["Normal"]) for n in (1, 2)]
    late = field_result(3, ["AML"])
    index.put(results)
    index.put_entries(key, *signed(results))
    assert page(index, Wanted()).slides == []
    assert [line.done for line in page(index, Wanted(states=DONE)).slides] == [True]
    index.put([late])
    (line,) = page(index, Wanted()).slides
    assert (line.state, line.done, line.fields, line.later_fields) == ("signed", False, 3, 1)
    assert page(index, Wanted(states=DONE)).slides == []
    assert page(index, Wanted(states={"signed"})).slides == [line]
    counted = totals(index)
    assert (counted.states["signed"], sum(counted.undone.values())) == (1, 1)
    index.put_entries(key, *chain([*results, late], Comment("fine"), None, None))
    assert page(index, Wanted()).slides == []
    assert sum(totals(index).undone.values()) == 0


def test_a_signature_heard_of_before_its_fields_waits_for_them(index):
    results = [field_result(n, ["Normal"]) for n in (1, 2, 3)]
    index.put_entries(SlideKey("home", "s1"), *signed(results))
    index.put(results[:1])
    (line,) = page(index, Wanted()).slides
    assert (line.state, line.done, line.later_fields) == ("signed", False, 0)
    index.put(results[1:])
    assert one(index, "home", "s1").done


def test_a_projection_of_another_version_is_made_anew(url):
    first = Index(url)
    first.put([field_result(1, ["ALL"])])
    with first.engine.begin() as connection:
        connection.execute(sa.update(about).values(version=99))
    first.close()
    second = Index(url)
    assert list(second.digests()) == []
    second.put([field_result(1, ["ALL"])])
    second.close()
    third = Index(url)
    assert len(list(third.digests())) == 1
    third.close()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("sqlite:////no/such/folder/x.sqlite", "unable to open"),
        ("mysql://x/y", "cannot be used"),
        ("nothing at all", "Could not parse"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_with_the_setting(bad, says):
    with pytest.raises(IndexTroubleError, match=says) as caught:
        Index(bad)
    assert "index_url" in str(caught.value)


@pytest.mark.parametrize(
    ("counts", "rank"),
    [
        ((20, 20.0, (14.7, 26.3), 0), 0),  # 20 of 100
        ((1, 50.0, (1.3, 98.7), 0), 0),  # 1 of 2
        ((2, 10.0, (1.2, 31.7), 0), 1),  # 2 of 20: more cells may say otherwise
        ((2, 1.0, (0.1, 3.6), 0), 2),  # 2 of 200
        ((0, 0.0, (0.0, 52.2), 0), 3),  # 0 of 5
        ((0, 0.0, (0.0, 97.5), 40), 1),  # 0 of 1, and 40 that nobody could name
        ((0, 0.0, (0.0, 3.6), 40), 3),  # 0 of 100
        ((0, None, None, 7), 1),  # nobody knows
        ((0, None, None, 0), 3),  # nothing there
    ],
)
def test_slides_with_suspected_blasts_come_first(counts, rank):
    assert urgency(*counts) == rank


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["s1", "s2", "s3"]),
            st.sampled_from(["scope-1", "scope-2"]),
            st.lists(st.sampled_from(LABELS), max_size=4),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 2**32),
)
def test_any_history_of_the_same_results_ends_in_the_same_projection(made, seed):
    draw = random.Random(seed)
    results = [
        field_result(n, labels, slide=slide, device=device)
        for n, (slide, device, labels) in enumerate(made)
    ]
    at_once, one_by_one = Index("sqlite://"), Index("sqlite://")
    at_once.put(results)
    deliveries = results + draw.choices(results, k=len(results))
    draw.shuffle(deliveries)
    for result in deliveries:
        one_by_one.put([result])
    assert list(at_once.digests()) == list(one_by_one.digests())
    assert {key for key, _ in at_once.digests()} == {SlideKey(r.site, r.slide) for r in results}
    at_once.close()
    one_by_one.close()


def test_what_is_said_of_trouble_holds_no_words_of_a_reader(sqlite):
    with sqlite.engine.begin() as connection:
        full = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        connection.execute(sa.text(f"CREATE TRIGGER full BEFORE INSERT ON entries {full}"))
    made = chain([field_result(1, ["AML"])], Comment("words of a reader"))
    with pytest.raises(sa.exc.SQLAlchemyError) as error:
        sqlite.put_entries(SlideKey("home", "s1"), *made)
    assert "INSERT INTO entries" in str(error.value)
    assert "[parameters:" not in str(error.value)  # of which it would show their beginning
