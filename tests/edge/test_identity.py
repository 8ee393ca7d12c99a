import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.identity import SlideKeyError, new_capture_id, slide_key, slide_token
from wire.topics import checked_name


def test_the_key_is_made_once_and_for_this_user_only(tmp_path):
    file = tmp_path / "station" / "slide.key"
    key = slide_key(file)
    assert slide_key(file) == key
    assert file.stat().st_mode & 0o077 == 0


def test_a_damaged_key_is_refused_rather_than_replaced(tmp_path):
    file = tmp_path / "slide.key"
    file.write_bytes(b"short")
    with pytest.raises(SlideKeyError, match="restore it"):
        slide_key(file)
    assert file.read_bytes() == b"short"


@given(st.text(min_size=1).filter(str.strip))
def test_a_token_can_stand_in_a_topic_and_does_not_show_the_number(accession):
    token = slide_token(accession, b"k" * 32)
    assert checked_name(token, "slide") == token
    assert len(accession.strip()) < 6 or accession.strip() not in token


def test_the_same_number_gives_the_same_token_and_another_key_another():
    assert slide_token("A-1", b"k" * 32) == slide_token(" A-1 ", b"k" * 32)
    assert slide_token("A-1", b"k" * 32) != slide_token("A-1", b"x" * 32)


def test_an_empty_number_is_refused():
    with pytest.raises(ValueError, match="empty"):
        slide_token("  ", b"k" * 32)


def test_capture_ids_sort_in_the_order_of_capture():
    ids = [new_capture_id() for _ in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 100
