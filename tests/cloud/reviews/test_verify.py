"""A chain that is altered in any way is found altered; one that is not, is not."""

import asyncio
import random

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_desk import KEY, TRUSTED, room, run

from cloud.reviews.command import verify
from cloud.reviews.desk import Desk
from cloud.reviews.entry import (
    ROOT,
    Comment,
    Reclassify,
    See,
    Sign,
    Waive,
    basis,
    digest,
    read,
)
from cloud.reviews.signing import fingerprint, load_key, load_trusted, new_key, public_file, sign
from cloud.stores import keys
from wire.codec import decode, encode
from wire.messages import FrameResult

LAST = 7


async def written(here):
    """Seven entries: seen, named, waived, remarked or proposed, signed, amended twice."""
    await here.do(See(await here.cells("ALL")), "ada")
    await here.do(Reclassify(await here.cells("AML"), "Normal"), "grace")
    await here.do(Waive("out of focus"), "ada")
    if here.second_reader:
        await here.sign("grace")
    else:
        await here.do(Comment("smudged"), "grace")
    await here.sign("ada")
    await here.amend("a second look", [Reclassify(await here.cells("AML"), "AML")])
    await here.amend("a third look", [Reclassify(await here.cells("AML"), "ALL")])


def key(number):
    return keys.review("home", "s1", number)


def witness(number):
    return keys.witness("home", "s1", number)


async def kinds(here, **options):
    return {finding.kind for finding in (await here.examine(**options)).findings}


@pytest.mark.parametrize("second_reader", [False, True])
def test_an_untouched_chain_is_sound(second_reader):
    async def check():
        async with room(second_reader=second_reader) as here:
            await written(here)
            examined = await here.examine()
            assert examined.findings == []
            assert len(examined.entries) == LAST
            assert [report.number for report in examined.review.reports] == [5, 6, 7]

    run(check())


# --- ways to alter a chain; each gets the room and a source of chance ---


async def change_a_byte(here, draw):
    number = draw.randint(1, LAST)
    data = bytearray(await here.objects.get(key(number)))
    place = draw.randrange(len(data))
    data[place] ^= 1 << draw.randrange(8)
    await here.objects.put(key(number), bytes(data))


async def add_a_blank(here, draw):
    number = draw.randint(1, LAST)
    data = await here.objects.get(key(number))
    await here.objects.put(key(number), data.replace(b",", b", ", 1))


async def cut_an_entry(here, draw):
    number = draw.randint(1, LAST)
    data = await here.objects.get(key(number))
    await here.objects.put(key(number), data[: draw.randrange(len(data))])


async def remove_an_entry(here, draw):
    await here.objects.delete(key(draw.randint(1, LAST)))


async def remove_the_end(here, draw):
    for number in range(draw.randint(1, LAST), LAST + 1):
        await here.objects.delete(key(number))


async def remove_an_entry_and_its_witness(here, draw):
    number = draw.randint(1, LAST - 1)
    await here.objects.delete(key(number))
    await here.objects.delete(witness(number))


async def close_a_gap(here, draw):
    """Remove an entry and move those behind it up, with their witnesses."""
    for number in range(draw.randint(1, LAST - 1), LAST):
        await here.objects.put(key(number), await here.objects.get(key(number + 1)))
        await here.objects.put(witness(number), await here.objects.get(witness(number + 1)))
    await here.objects.delete(key(LAST))
    await here.objects.delete(witness(LAST))


async def swap_two_entries(here, draw):
    one, other = draw.sample(range(1, LAST + 1), 2)
    for where in (key, witness):
        first, second = await here.objects.get(where(one)), await here.objects.get(where(other))
        await here.objects.put(where(one), second)
        await here.objects.put(where(other), first)


async def write_an_entry_twice(here, draw):
    data = await here.objects.get(key(draw.randint(1, LAST)))
    await here.objects.put(key(LAST + 1), data)
    await here.objects.put(witness(LAST + 1), digest(data).encode())


async def bring_an_entry_of_another_slide(here, draw):
    await here.field(40, ["Normal"], slide="s2")
    for _ in range(LAST):
        await here.do(Comment("of another slide"), slide="s2")
    number = draw.randint(1, LAST)
    data = await here.objects.get(keys.review("home", "s2", number))
    await here.objects.put(key(number), data)
    await here.objects.put(witness(number), digest(data).encode())


async def _forged(here, number, key_, **changes):
    _, entry = read(await here.objects.get(key(number)))
    data = sign(msgspec.structs.replace(entry, **changes), key_)
    await here.objects.put(key(number), data)
    await here.objects.put(witness(number), digest(data).encode())


async def sign_with_another_key(here, draw):
    await _forged(here, draw.randint(1, LAST), Ed25519PrivateKey.generate())


async def claim_the_right_key(here, draw):
    number = draw.randint(1, LAST)
    await _forged(here, number, Ed25519PrivateKey.generate(), reader="mallory")
    data = await here.objects.get(key(number))
    wrong, right = read(data)[0].key, fingerprint(KEY.public_key())
    data = data.replace(wrong.encode(), right.encode())
    await here.objects.put(key(number), data)
    await here.objects.put(witness(number), digest(data).encode())


async def rewrite_history_with_the_right_key(here, draw):
    """Even who has the key cannot change an entry without all those behind it."""
    await _forged(here, draw.randint(1, LAST - 1), KEY, reader="mallory")


async def change_a_witness(here, draw):
    await here.objects.put(witness(draw.randint(1, LAST)), b"0" * 64)


async def remove_a_witness(here, draw):
    await here.objects.delete(witness(draw.randint(1, LAST)))


async def remove_all_but_the_witnesses(here, _):
    for number in range(1, LAST + 1):
        await here.objects.delete(key(number))


async def _altered_result(here, draw, change):
    name = draw.choice(sorted(await here.objects.sizes(keys.RESULTS)))
    result = decode(await here.objects.get(name), FrameResult)
    await here.objects.put(name, encode(change(result)))


async def change_an_image_of_the_slide(here, draw):
    await _altered_result(here, draw, lambda r: msgspec.structs.replace(r, image_sha256="e" * 64))


async def change_the_model_of_a_result(here, draw):
    def other(result):
        model = msgspec.structs.replace(result.model, sha256="f" * 64)
        return msgspec.structs.replace(result, model=model)

    await _altered_result(here, draw, other)


async def change_what_the_machine_said(here, draw):
    def other(result):
        cells = [msgspec.structs.replace(cell, label="unidentified") for cell in result.cells]
        return msgspec.structs.replace(result, cells=cells)

    await _altered_result(here, draw, other)


async def remove_a_result(here, draw):
    await here.objects.delete(draw.choice(sorted(await here.objects.sizes(keys.RESULTS))))


WAYS = [
    change_a_byte, add_a_blank, cut_an_entry, remove_an_entry, remove_the_end,
    remove_an_entry_and_its_witness, close_a_gap, swap_two_entries, write_an_entry_twice,
    bring_an_entry_of_another_slide, sign_with_another_key, claim_the_right_key,
    rewrite_history_with_the_right_key, change_a_witness, remove_a_witness,
    remove_all_but_the_witnesses, change_an_image_of_the_slide, change_the_model_of_a_result,
    change_what_the_machine_said, remove_a_result,
]  # fmt: skip


@pytest.mark.parametrize("alter", WAYS, ids=lambda way: way.__name__)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), second_reader=st.booleans())
def test_every_alteration_is_found(alter, seed, second_reader):
    async def check():
        async with room(second_reader=second_reader) as here:
            await written(here)
            await alter(here, random.Random(seed))
            assert (await here.examine()).findings != []

    run(check())


@pytest.mark.parametrize(
    ("alter", "kind"),
    [
        (remove_an_entry, "gap"),
        (remove_the_end, "gap"),
        (cut_an_entry, "unreadable"),
        (add_a_blank, "unreadable"),
        (swap_two_entries, "misplaced"),
        (close_a_gap, "misplaced"),
        (sign_with_another_key, "key-untrusted"),
        (claim_the_right_key, "signature-wrong"),
        (rewrite_history_with_the_right_key, "broken-link"),
        (change_a_witness, "witness-differs"),
        (remove_a_witness, "witness-missing"),
        (change_an_image_of_the_slide, "basis-differs"),
        (change_the_model_of_a_result, "basis-differs"),
        (remove_a_result, "basis-differs"),
        (change_what_the_machine_said, "report-differs"),
    ],
)
def test_an_alteration_is_named_for_what_it_is(alter, kind):
    async def check():
        async with room() as here:
            await written(here)
            await alter(here, random.Random(3))
            assert kind in await kinds(here)

    run(check())


def test_a_signature_against_the_rules_is_found_even_with_the_right_key_and_links():
    async def check():
        async with room() as here:
            await here.do(Comment("not looked at"))
            case = await here.case()
            _, entry = read(await here.objects.get(key(1)))
            forged = msgspec.structs.replace(
                entry,
                number=2,
                before=case.review.head,
                basis=basis(case.slide.results.values()),
                action=Sign(case.slide.report(case.review)),
            )
            data = sign(forged, KEY)
            await here.objects.put(key(2), data)
            await here.objects.put(witness(2), digest(data).encode())
            assert await kinds(here) == {"rule-broken"}

    run(check())


def test_an_end_cut_off_with_its_witnesses_is_found_by_heads_noted_elsewhere():
    """The bucket alone cannot know of it: that is what `verify --heads` is for."""

    async def check():
        async with room() as here:
            await written(here)
            head = (await here.examine()).review.head
            for number in (6, 7):
                await here.objects.delete(key(number))
                await here.objects.delete(witness(number))
            assert await kinds(here) == set()
            assert await kinds(here, heads={7: head}) == {"gap"}

    run(check())


def test_a_head_noted_elsewhere_is_still_in_a_chain_that_has_grown():
    async def check():
        async with room() as here:
            await here.do(Comment("one"))
            noted = {1: (await here.examine()).review.head}
            await here.do(Comment("two"))
            assert await kinds(here, heads=noted) == set()
            assert await kinds(here, heads={1: "0" * 64}) == {"head-differs"}

    run(check())


def test_verify_all_names_each_slide_also_one_of_which_only_witnesses_are_left():
    async def check():
        async with room() as here:
            await written(here)
            await here.field(30, ["Normal"], slide="s2")
            await here.do(Comment("fine"), slide="s2")
            await remove_all_but_the_witnesses(here, None)
            found = {v.slide: v for v in await verify(here.objects, TRUSTED, {})}
            assert set(found) == {"s1", "s2"}
            assert found["s2"].findings == []
            assert (found["s2"].number, found["s2"].state) == (1, "in review")
            assert {f.kind for f in found["s1"].findings} == {"gap"}
            gone = await verify(here.objects, TRUSTED, {("home", "s9"): {1: "0" * 64}})
            assert [v.slide for v in gone if v.findings] == ["s1", "s9"]

    run(check())


def test_the_first_entry_hangs_on_the_root_and_names_images_and_model():
    async def check():
        async with room() as here:
            await here.do(See(await here.cells("ALL")))
            _, entry = read(await here.objects.get(key(1)))
            assert entry.before == ROOT
            assert entry.basis.models == ["a" * 64]
            (field,) = entry.basis.fields
            assert entry.basis.images == digest(f"{field} {0:064x}\n".encode())

    run(check())


def test_a_key_is_made_once_private_and_its_public_half_verifies(tmp_path):
    file = tmp_path / "review.pem"
    made = new_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert fingerprint(load_key(file).public_key()) == fingerprint(made.public_key())
    assert list(load_trusted([public_file(file)])) == [fingerprint(made.public_key())]
    with pytest.raises(ValueError, match="never written over"):
        new_key(file)
    with pytest.raises(ValueError, match="cannot be read"):
        load_key(tmp_path / "none.pem")
    with pytest.raises(ValueError, match="cannot be read"):
        load_trusted([file])


def test_a_key_that_replaces_another_goes_on_with_its_chain():
    async def check():
        async with room() as here:
            await here.do(Comment("with the old key"))
            fresh = Ed25519PrivateKey.generate()
            desk = Desk(here.objects, fresh, TRUSTED, here.sums, lambda *_: None)
            case = await desk.act("home", "s1", "ada", Comment("with the new"), last_seen=1)
            assert case.review.number == 2
            assert await kinds(here) == {"key-untrusted"}  # until it is told of the new key

    run(check())


def test_forty_entries_are_replayed_in_less_than_a_second():
    async def check():
        async with room() as here:
            for n in range(40):
                await here.do(Comment(f"{n}"))
            begun = asyncio.get_running_loop().time()
            assert (await here.examine()).findings == []
            assert asyncio.get_running_loop().time() - begun < 1

    run(check())
