"""Topics: built in one place, taken apart in one place, closed to every other character."""

import re
from typing import get_args

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wire import messages, topics

RESERVED = sorted(
    {"results", "slides", "reviews", "models", "frames", "receipts", "status", "commands"}
    | {"replies"}
)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", fullmatch=True).filter(
    lambda name: name not in RESERVED
)
channels = st.sampled_from(get_args(topics.DeviceChannel))


@given(site=names, device=names, channel=channels)
def test_a_device_topic_is_taken_apart_into_what_it_was_built_from(
    site: str, device: str, channel: topics.DeviceChannel
) -> None:
    topic = topics.device(site, device, channel)
    assert topic == f"leukoscope/1/{site}/{device}/{channel}"
    assert topics.parse_device(topic) == (site, device, channel)


def test_every_topic_of_the_design_is_spelt_as_the_design_spells_it() -> None:
    assert topics.results("lab-1", "scope-3") == "leukoscope/1/lab-1/results/scope-3"
    assert topics.slides("lab-1", "S-4f2a91") == "leukoscope/1/lab-1/slides/S-4f2a91"
    assert topics.reviews("lab-1", "S-4f2a91") == "leukoscope/1/lab-1/reviews/S-4f2a91"
    assert topics.models("lab-1") == "leukoscope/1/lab-1/models"


def test_filters_narrow_to_a_site_and_to_a_share_group() -> None:
    assert topics.all_frames() == "leukoscope/1/+/+/frames"
    assert topics.all_frames("lab-1") == "leukoscope/1/lab-1/+/frames"
    assert topics.all_frames(share="workers") == "$share/workers/leukoscope/1/+/+/frames"
    assert topics.all_results() == "leukoscope/1/+/results/+"
    assert topics.all_results("lab-1") == "leukoscope/1/lab-1/results/+"
    assert topics.all_reviews() == "leukoscope/1/+/reviews/+"
    assert topics.all_reviews("lab-1") == "leukoscope/1/lab-1/reviews/+"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "+",
        "#",
        "a/b",
        "a.b",
        "a*",
        ">",
        "$share",
        "-a",
        "_a",
        "a b",
        "é",
        "a\n",
        "a\0",
        "a" * 64,
    ],
)
def test_a_name_that_could_escape_its_level_is_refused(name: str) -> None:
    with pytest.raises(topics.TopicError, match="not usable"):
        topics.device(name, "scope-3", "frames")
    with pytest.raises(topics.TopicError, match="not usable"):
        topics.device("lab-1", name, "frames")


@pytest.mark.parametrize("word", RESERVED)
def test_a_word_that_topics_use_is_refused_as_a_name(word: str) -> None:
    with pytest.raises(topics.TopicError, match="reserved word"):
        topics.results("lab-1", word)
    with pytest.raises(topics.TopicError, match="reserved word"):
        topics.slides(word, "S-4f2a91")


@given(site=names, name=names)
def test_only_frames_come_to_a_subscriber_to_frames(site: str, name: str) -> None:
    """`leukoscope/1/+/+/frames` has five levels, and so have results, slides and reviews."""
    frames = re.compile(r"leukoscope/1/[^/]+/[^/]+/frames")
    others = (topics.results(site, name), topics.slides(site, name), topics.reviews(site, name))
    assert not any(frames.fullmatch(topic) for topic in others)
    assert frames.fullmatch(topics.device(site, name, "frames"))


@given(st.text(max_size=80))
def test_no_other_text_is_taken_for_a_device_topic(text: str) -> None:
    assume(not text.startswith(topics.ROOT))
    with pytest.raises(topics.TopicError):
        topics.parse_device(text)


@pytest.mark.parametrize(
    "topic",
    [
        "leukoscope/2/lab-1/scope-3/frames",
        "leukoscope/1/lab-1/scope-3",
        "leukoscope/1/lab-1/scope-3/frames/",
        "leukoscope/1/lab-1/scope-3/pictures",
        "leukoscope/1/lab-1/results/scope-3",
        "leukoscope/1/lab-1/results/frames",
        "leukoscope/1/+/scope-3/frames",
        "/leukoscope/1/lab-1/scope-3/frames",
    ],
)
def test_a_topic_that_is_nearly_a_device_topic_is_refused(topic: str) -> None:
    with pytest.raises(topics.TopicError):
        topics.parse_device(topic)


@given(
    st.one_of(
        st.text(max_size=70),
        names,
        names.map(lambda name: name + "\n"),
        st.sampled_from(RESERVED),
        st.sampled_from(RESERVED).map(lambda word: word + "2"),
    )
)
def test_a_message_accepts_exactly_the_names_that_a_topic_accepts(name: str) -> None:
    assert _in_message(name) == _in_topic(name)


def _in_topic(name: str) -> bool:
    try:
        topics.checked_name(name, "name")
    except topics.TopicError:
        return False
    return True


def _in_message(name: str) -> bool:
    try:
        msgspec.convert(name, messages.Name)
    except msgspec.ValidationError:
        return False
    return True
