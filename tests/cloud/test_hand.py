import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.worker.hand import Hand
from wire.connection import Delivery


def delivery(number: int) -> Delivery:
    return Delivery("leukoscope/1/home/scope-1/frames", b"", number, 1)


def numbers(acknowledged: list[Delivery]) -> list[int]:
    return [one.mid for one in acknowledged]


@given(st.integers(1, 40).flatmap(lambda n: st.permutations(range(n))))
def test_frames_are_acknowledged_in_order_of_arrival_whatever_order_they_end_in(order):
    acknowledged: list[Delivery] = []
    hand = Hand(len(order), acknowledged.append)
    held = [hand.take(delivery(n)) for n in range(len(order))]
    done = set()
    for n in order:
        hand.finish(held[n])
        done.add(n)
        ready = next((k for k in range(len(order)) if k not in done), len(order))
        assert numbers(acknowledged) == list(range(ready))
    assert numbers(acknowledged) == list(range(len(order)))
    assert len(hand) == 0


@given(
    st.integers(1, 5),
    st.lists(st.integers(0, 4), max_size=60),
)
def test_every_place_is_free_again_once_its_frame_is_acknowledged(cap, choices):
    acknowledged: list[Delivery] = []
    hand = Hand(cap, acknowledged.append)
    held = []
    taken = 0
    for choice in choices:
        if len(hand) < cap:  # else take would wait
            held.append(hand.take(delivery(taken)))
            taken += 1
        elif held:
            hand.finish(held.pop(choice % len(held)))
    for one in held:
        hand.finish(one)
    assert numbers(acknowledged) == list(range(taken))
    for n in range(cap):
        assert hand.take(delivery(n)) is not None


def test_the_network_thread_waits_while_the_hand_is_full_and_goes_on_when_a_place_is_free():
    hand = Hand(2, lambda _: None)
    first = hand.take(delivery(0))
    hand.take(delivery(1))
    taken = []
    thread = threading.Thread(target=lambda: taken.append(hand.take(delivery(2))))
    thread.start()
    time.sleep(0.2)
    assert taken == []
    assert len(hand) == 2
    hand.finish(first)
    thread.join(2)
    assert taken[0].delivery.mid == 2
    assert len(hand) == 2


def test_a_finished_frame_keeps_its_place_until_those_before_it_are_finished():
    hand = Hand(2, lambda _: None)
    hand.take(delivery(0))
    hand.finish(hand.take(delivery(1)))
    assert len(hand) == 2


def test_closing_frees_a_thread_that_waits_for_a_place():
    hand = Hand(1, lambda _: None)
    hand.take(delivery(0))
    taken = []
    thread = threading.Thread(target=lambda: taken.append(hand.take(delivery(1))))
    thread.start()
    hand.close()
    thread.join(2)
    assert taken == [None]


def test_a_closed_hand_takes_nothing_even_when_it_has_room_and_still_finishes_what_it_holds():
    acknowledged = []
    hand = Hand(4, acknowledged.append)
    held = hand.take(delivery(0))
    hand.close()
    assert hand.take(delivery(1)) is None
    hand.finish(held)
    assert numbers(acknowledged) == [0]
    assert len(hand) == 0


def test_an_acknowledgement_that_fails_costs_no_place_and_holds_up_none_behind_it():
    acknowledged = []

    def acknowledge(one: Delivery) -> None:
        if one.mid == 0:
            raise RuntimeError("socket is gone")
        acknowledged.append(one)

    hand = Hand(2, acknowledge)
    first, second = hand.take(delivery(0)), hand.take(delivery(1))
    with pytest.raises(RuntimeError):
        hand.finish(first)
    hand.finish(second)
    assert numbers(acknowledged) == [1]
    assert len(hand) == 0
    assert hand.take(delivery(2)) is not None


def test_many_threads_never_hold_more_than_the_cap():
    acknowledged: list[Delivery] = []
    hand = Hand(8, acknowledged.append)
    most = 0
    waiting = threading.Semaphore(0)
    held: list = []

    def finish() -> None:
        for _ in range(100):
            waiting.acquire()
            hand.finish(held.pop())

    workers = [threading.Thread(target=finish) for _ in range(4)]
    for worker in workers:
        worker.start()
    for n in range(400):
        held.append(hand.take(delivery(n)))
        most = max(most, len(hand))
        waiting.release()
    for worker in workers:
        worker.join(10)
    assert most <= 8
    assert numbers(acknowledged) == list(range(400))
