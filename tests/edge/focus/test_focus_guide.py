"""The guide brings a hand to the focus with words and signs."""

from collections.abc import Iterable

import numpy as np
import pytest

from edge.cameras.simulator import SimulatorCamera
from edge.focus.guide import Guide
from edge.focus.measure import sharpness


class Hand:
    """Turns a knob over a hill of sharpness whose top is at 0, and hears the guide."""

    def __init__(self, noise: float = 0.005) -> None:
        self.guide = Guide()
        self._rng = np.random.default_rng(1)
        self._noise = noise

    def at(self, height: float, *, sharp: bool = False) -> str:
        level = (0.1 + 1 / (1 + height**2)) * (1 + self._noise * self._rng.normal())
        return self.guide.tell(level, sharp=sharp).word

    def turn(self, heights: Iterable[float]) -> list[str]:
        """The words on the way, each once."""
        words = [self.at(float(height)) for height in heights]
        return [w for i, w in enumerate(words) if i == 0 or w != words[i - 1]]


def way(start: float, end: float, step: float = 0.1) -> Iterable[float]:
    return np.arange(start, end, step if end > start else -step)


def test_a_hand_that_turns_the_right_way_passes_and_comes_back():
    hand = Hand()
    assert hand.turn(way(-5, 2)) == ["keep turning", "closer", "past it, turn back"]
    assert hand.turn(way(2, 0)) == ["past it, turn back", "closer", "in focus"]
    assert hand.turn([0] * 50) == ["in focus"]


def test_a_hand_that_turns_the_wrong_way_is_turned_back():
    hand = Hand()
    assert hand.turn(way(1, 4)) == ["keep turning", "past it, turn back"]
    assert hand.turn(way(4, 0))[-2:] == ["closer", "in focus"]


def test_in_focus_is_left_only_when_it_is_clearly_left():
    hand = Hand(noise=0.02)
    hand.turn(way(-3, 2))
    hand.turn(way(2, 0))
    near = [0.0, 0.25, -0.25, 0.3, 0.1, -0.3, 0.25] * 8  # 0.9 of the best: neither here nor there
    assert hand.turn(near) == ["in focus"]
    assert hand.turn(way(0, 2))[-1] == "past it, turn back"


def test_noise_on_a_field_without_cells_never_looks_like_focus():
    guide, rng = Guide(), np.random.default_rng(2)
    hints = [guide.tell(float(rng.normal(1, 0.01))) for _ in range(300)]
    assert {hint.word for hint in hints} == {"keep turning"}


def test_one_shaken_picture_changes_nothing():
    hand = Hand()
    hand.turn(way(-3, 2))
    hand.turn(way(2, 0))
    assert hand.guide.tell(0.01).word == "in focus"
    assert hand.at(0) == "in focus"


def test_on_a_paler_field_the_old_best_is_forgotten():
    hand = Hand()
    hand.turn(way(-3, 2))
    hand.turn(way(2, 0))
    paler = [hand.guide.tell(0.4).word for _ in range(1500)]
    assert paler[-1] == "keep turning"
    hand.guide.reset()
    assert hand.turn(way(-5, 2)) == ["keep turning", "closer", "past it, turn back"]


def test_every_word_has_a_sign_of_its_own_and_a_level():
    hand = Hand()
    hints = [hand.guide.tell(0.1 + 1 / (1 + h * h)) for h in [*way(-5, 2), *way(2, 0)]]
    signs = {hint.word: hint.sign for hint in hints}
    assert len(signs) == len(set(signs.values())) == 4
    assert all(len(sign) == 1 for sign in signs.values())
    assert all(0 < hint.level <= 1 for hint in hints)
    assert hints[-1].level == pytest.approx(1, abs=0.02)


def test_a_field_that_is_sharp_from_the_start_is_in_focus_until_it_is_left():
    hand = Hand()
    sharp = [hand.at(0, sharp=True) for _ in range(30)]
    assert set(sharp) == {"in focus"}
    assert hand.turn(way(0, 3))[-1] == "past it, turn back"
    assert hand.turn(way(3, 0))[-2:] == ["closer", "in focus"]


def test_a_sharp_field_that_turning_betters_is_not_in_focus_yet():
    hand = Hand(noise=0.0)
    words = [hand.at(height, sharp=True) for height in way(-1, -0.2)]
    assert words[-1] == "closer"
    assert {hand.at(0, sharp=True) for _ in range(9)} >= {"in focus"}
    assert hand.at(0, sharp=True) == "in focus"


def test_darkness_is_no_error():
    assert Guide().tell(0.0).word == "keep turning"


def test_it_brings_a_hand_to_the_focus_of_the_simulated_microscope():
    """The hand only does what the guide says: it turns on, or turns back."""
    camera = SimulatorCamera(7, "ALL", width=480, height=360, drift=0, advance=False)
    camera.move_to(50, 40)
    camera.focus = 4.0
    guide, direction, step, before = Guide(), 1, 0.4, ""
    for _ in range(120):
        hint = guide.tell(sharpness(camera.capture().image))
        if hint.turn == "in-focus":
            break
        if hint.turn == "back" and before != "back":
            direction, step = -direction, max(0.1, step / 2)
        before = hint.turn
        camera.focus += direction * step
    assert hint.word == "in focus"
    assert abs(camera.focus) < 0.3
