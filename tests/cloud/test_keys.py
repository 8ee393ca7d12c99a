import hashlib

from hypothesis import given
from hypothesis import strategies as st

from cloud.stores import keys
from wire.topics import checked_name

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(
    lambda name: _usable(name)
)
captures = st.uuids(version=4).map(str)
digests = st.binary().map(lambda data: hashlib.sha256(data).hexdigest())


def _usable(name: str) -> bool:
    try:
        return bool(checked_name(name, "name"))
    except ValueError:
        return False


def test_keys_are_as_the_module_says():
    assert keys.frame("home", "scope-1", "c1", "abcdef0123456789") == (
        "frames/home/scope-1/c1.abcdef01.jpg"
    )
    assert keys.result("home", "scope-1", "c1") == "results/home/scope-1/c1.json"
    assert keys.dead_letter("home", "scope-1", "d" * 64) == f"dead-letters/home/scope-1/{'d' * 64}"


@given(names, names, captures, digests)
def test_a_capture_s_result_has_one_key_and_lies_under_its_prefix(site, device, capture, digest):
    key = keys.result(site, device, capture)
    assert key == keys.result(site, device, capture)
    assert key.startswith(keys.RESULTS)
    assert key.split("/")[1:3] == [site, device]
    assert keys.frame(site, device, capture, digest).startswith(keys.FRAMES)
    assert keys.dead_letter(site, device, digest).startswith(keys.DEAD_LETTERS)


@given(names, names, names, names, captures)
def test_two_devices_never_share_a_key(site, device, other_site, other_device, capture):
    same = (site, device) == (other_site, other_device)
    assert (
        keys.result(site, device, capture) == keys.result(other_site, other_device, capture)
    ) is same


def test_another_image_under_one_capture_id_has_a_key_of_its_own():
    first, second = (hashlib.sha256(data).hexdigest() for data in (b"1", b"2"))
    assert keys.frame("s", "d", "c", first) != keys.frame("s", "d", "c", second)
