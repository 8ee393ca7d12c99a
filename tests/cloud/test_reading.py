import hashlib
import io
import json

import msgspec
import pytest
from frames import frame, jpeg
from PIL import Image

from cloud.reading import Reading, read_frame
from cloud.refusal import Refusal
from edge.cameras.simulator import SimulatorCamera
from imaging.box import Box, overlap
from imaging.cells import FINDER_ID
from imaging.encode import encode_within
from wire import messages
from wire.codec import decode, encode, encode_frame
from wire.messages import FrameResult
from wire.topics import DeviceTopic
from wire.words import RESEARCH_USE_ONLY

SENDER = DeviceTopic("home", "scope-1", "frames")


@pytest.fixture(scope="module")
def field():
    """A simulated field as it is sent, its true boxes in pixels of the sent image."""
    shot = SimulatorCamera(7, "ALL").capture()
    encoded = encode_within(shot.image)
    truth = [Box(*(round(v * encoded.scale) for v in cell.box)) for cell in shot.truth]
    sent = frame(
        image=encoded.data,
        sha256=hashlib.sha256(encoded.data).hexdigest(),
        width=encoded.width,
        height=encoded.height,
        cells=None,
        finder="",
        quality=messages.Quality(0.5, 0.7, 0.01, 3.0, 0.4),
    )
    return sent, truth


def read(one, classifier) -> Reading:
    return read_frame(encode_frame(one), SENDER, classifier)


def test_a_simulated_field_becomes_a_result_that_says_all_of_it(field, classifier):
    sent, truth = field
    reading = read(sent, classifier)
    result = reading.result
    assert reading.image == sent.image
    assert (result.capture_id, result.site, result.device) == (sent.capture_id, "home", "scope-1")
    assert (result.slide, result.captured_at) == (sent.slide, sent.captured_at)
    assert (result.width, result.height) == (sent.width, sent.height)
    assert result.quality == sent.quality
    assert result.notice == RESEARCH_USE_ONLY
    assert result.state == "preliminary"
    assert result.model == classifier.model
    assert result.image_sha256 == sent.sha256
    assert result.image_key == (f"frames/home/scope-1/{sent.capture_id}.{sent.sha256[:8]}.jpg")
    assert result.captured_at <= result.classified_at
    assert truth
    assert result.explanation.endswith(".")


def test_where_the_station_did_not_look_the_cloud_finds_the_cells(field, classifier):
    sent, truth = field
    result = read(sent, classifier).result
    assert result.finder == FINDER_ID
    for true in truth:
        best = max(
            (overlap(true, Box(*msgspec.to_builtins(c.box))) for c in result.cells), default=0
        )
        assert best >= 0.5, f"no cell found at {true}"


def test_the_station_s_own_boxes_are_taken_as_they_are(classifier):
    boxes = [
        messages.Box(55, 35, 50, 50),
        messages.Box(0, 0, 20, 30),
        messages.Box(150, 110, 10, 10),
    ]
    result = read(frame(cells=boxes, finder="other/7"), classifier).result
    assert [cell.box for cell in result.cells] == boxes
    assert result.finder == "other/7"


def test_a_field_without_cells_is_a_result_too(classifier):
    result = read(frame(cells=[]), classifier).result
    assert result.cells == []
    assert result.label == "unidentified"
    assert set(result.counts.values()) == {0}


def test_counts_labels_and_probabilities_agree(field, classifier):
    result = read(field[0], classifier).result
    for label, n in result.counts.items():
        assert n == sum(cell.label == label for cell in result.cells)
    for cell in result.cells:
        assert cell.probability == max(cell.probabilities.values())
        if cell.label != "unidentified":
            assert cell.probabilities[cell.label] == cell.probability


def test_what_is_published_and_what_is_stored_read_back_as_the_same_result(field, classifier):
    reading = read(field[0], classifier)
    assert decode(reading.published, FrameResult) == reading.result
    assert decode(reading.stored, FrameResult) == reading.result
    assert encode(decode(reading.stored, FrameResult)) == reading.published


def test_the_stored_result_can_be_read_by_a_person(field, classifier):
    text = read(field[0], classifier).stored.decode()
    assert text.endswith("}\n")
    assert max(map(len, text.splitlines())) < 200
    assert json.loads(text)["notice"] == RESEARCH_USE_ONLY


def test_timings_are_of_this_frame_and_in_milliseconds(field, classifier):
    timings = read(field[0], classifier).result.timings_ms
    for value in (timings.decode, timings.find, timings.classify):
        assert 0 < value < 10_000


def image_file(kind: str, size=(100, 80), mode="RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 0).save(buffer, kind)
    return buffer.getvalue()


def with_image(data: bytes, **changes):
    return frame(image=data, **({"sha256": hashlib.sha256(data).hexdigest()} | changes))


def raw(**changes) -> bytes:
    plain = msgspec.msgpack.decode(encode_frame(frame()))
    return msgspec.msgpack.encode(plain | changes)


REFUSED = {
    "nothing at all": (lambda: b"", "message-unreadable"),
    "garbage": (lambda: b"\xc1" * 30, "message-unreadable"),
    "a frame cut short": (lambda: encode_frame(frame())[:-9], "message-unreadable"),
    "deep nesting": (lambda: b"\x81\xa1x" + b"\x91" * 100_000, "message-unreadable"),
    "another schema": (lambda: raw(schema=2), "schema-unknown"),
    "no SHA-256": (lambda: raw(sha256="?"), "message-invalid"),
    "a size that is not the image's": (
        lambda: encode_frame(frame(width=161, cells=None)),
        "message-invalid",
    ),
    "another device": (lambda: encode_frame(frame(device="scope-2")), "topic-mismatch"),
    "another site": (lambda: encode_frame(frame(site="away")), "topic-mismatch"),
    "another image's hash": (lambda: encode_frame(frame(sha256="0" * 64)), "sha256-mismatch"),
    "a cell past the right edge": (
        lambda: encode_frame(frame(cells=[(111, 0, 50, 10)])),
        "cell-outside-image",
    ),
    "a cell past the lower edge": (
        lambda: encode_frame(frame(cells=[(0, 111, 10, 10)])),
        "cell-outside-image",
    ),
    "text as image": (lambda: encode_frame(with_image(b"a field of text")), "image-format"),
    "16 bit": (lambda: encode_frame(with_image(image_file("PNG", mode="I;16"))), "image-format"),
    "damaged PNG": (
        lambda: encode_frame(with_image(image_file("PNG")[:40] + b"\0" * 60)),
        "image-unreadable",
    ),
    "truncated JPEG": (lambda: encode_frame(with_image(jpeg()[:-300])), "image-truncated"),
    "1 pixel": (
        lambda: encode_frame(with_image(image_file("PNG", (1, 1)), width=1, height=1)),
        "image-too-small",
    ),
    "49 million pixels": (
        lambda: encode_frame(
            with_image(image_file("PNG", (7000, 7000), "1"), width=7000, height=7000)
        ),
        "image-too-large",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_frame_that_cannot_become_a_result_is_refused_with_its_reason(what, classifier):
    make, reason = REFUSED[what]
    with pytest.raises(Refusal) as caught:
        read_frame(make(), SENDER, classifier)
    assert caught.value.reason == reason
    assert len(str(caught.value)) > 20


def test_a_refusal_names_the_capture_where_it_can_be_read(classifier):
    bad = frame(sha256="0" * 64)
    with pytest.raises(Refusal) as caught:
        read(bad, classifier)
    assert caught.value.capture_id == bad.capture_id
    with pytest.raises(Refusal) as unreadable:
        read_frame(b"\xc1", SENDER, classifier)
    assert unreadable.value.capture_id is None


def test_every_reason_is_one_that_docs_refusals_explains(pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "refusals.md").read_text()
    reasons = {reason for _, reason in REFUSED.values()} | {"capture-id-reused", "worker-fault"}
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in page] == []
