"""The serial stage speaks with a Sangaboard as its firmware does, and says what goes wrong."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sangaboard_twin import SangaboardTwin

from edge.stage import sangaboard
from edge.stage.base import Place, Stage, StageError
from edge.stage.serial import SerialStage
from edge.stage.settings import SerialStageSettings

BUSY_S = 1.0  # what a busy machine may add
PLAIN = SerialStageSettings(
    um_per_step=(0.5, 0.5, 0.1),
    low_um=(-1000, -1000, -100),
    high_um=(1000, 1000, 100),
    backlash_um=(0, 0, 0),
)


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "ttyACM0"


@pytest.fixture
def twin(link: Path) -> Iterator[SangaboardTwin]:
    made = SangaboardTwin(link)
    yield made
    made.close()


@pytest.fixture
def stage(twin: SangaboardTwin) -> Iterator[SerialStage]:
    opened = SerialStage(str(twin.link), PLAIN)
    yield opened
    opened.close()


def test_lengths_become_steps_in_one_straight_move(twin, stage):
    as_stage: Stage = stage
    as_stage.move_to(Place(100, -50, 3.3))
    assert twin.moves == [(200, -100, 33)]
    assert stage.place == Place(100, -50, pytest.approx(3.3))
    stage.move_to(Place(100, 0, 3.3))
    assert twin.moves[1:] == [(0, 100, 0)]


def test_a_place_between_two_steps_becomes_the_nearer_one(twin, stage):
    stage.move_to(Place(0.3, 0, 0.14))
    assert twin.position == [1, 0, 1]
    assert stage.place == Place(0.5, 0, 0.1)


def test_being_there_already_moves_nothing(twin, stage):
    stage.move_to(Place(0, 0, 0))
    assert twin.moves == []


@pytest.mark.parametrize("firmware", ["0.4", "0.5", "1.0-beta", "1.0"])
def test_each_firmware_is_spoken_to_in_its_own_words(firmware, link):
    twin = SangaboardTwin(link, firmware, position=(20, 40, 100), step_us=500)
    stage = SerialStage(str(link), PLAIN)
    assert stage.place == Place(10, 20, 10)
    before = time.monotonic()
    stage.move_to(Place(60, 20, 10))
    assert time.monotonic() - before > 0.05  # it waited for the motors
    assert twin.position == [120, 40, 100]
    assert ("blocking_moves true" in twin.heard) == firmware.startswith("1")
    stage.close()
    twin.close()


def test_a_board_that_is_still_starting_is_waited_for(link):
    twin = SangaboardTwin(link, starts_in_s=1.3)
    stage = SerialStage(str(link), PLAIN)
    stage.move_to(Place(5, 5, 5))
    assert twin.position == [10, 10, 50]
    stage.close()
    twin.close()


def test_a_place_is_come_to_from_below_on_every_axis(twin):
    settings = PLAIN.model_copy(update={"backlash_um": (10, 10, 2)})
    stage = SerialStage(str(twin.link), settings)
    stage.move_to(Place(100, 100, 10))
    assert twin.moves == [(200, 200, 100)]
    stage.move_to(Place(50, 150, 5))
    assert twin.moves[1:] == [(-120, 100, -70), (20, 0, 20)]
    stage.close()


def test_the_way_from_below_never_leads_past_a_limit(twin):
    settings = PLAIN.model_copy(update={"backlash_um": (10, 10, 2)})
    stage = SerialStage(str(twin.link), settings)
    stage.move_to(Place(-996, 0, 0))
    assert twin.moves == [(-2000, 0, 0), (8, 0, 0)]
    stage.close()


def test_an_axis_can_be_turned_round(twin):
    settings = PLAIN.model_copy(update={"um_per_step": (-0.5, 0.5, 0.1), "backlash_um": (10, 0, 0)})
    stage = SerialStage(str(twin.link), settings)
    stage.move_to(Place(100, 0, 0))
    stage.move_to(Place(50, 0, 0))
    assert twin.moves == [(-200, 0, 0), (120, 0, 0), (-20, 0, 0)]
    stage.close()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(1000.5, 0, 0), r"x = 1000\.5 µm is beyond .*\(-1000 to 1000\): choose a nearer"),
        (Place(0, -2000, 0), r"y = -2000\.0 µm is beyond"),
        (Place(0, 0, 101), r"z = 101\.0 µm is beyond .*\(-100 to 100\)"),
        (Place(float("nan"), 0, 0), "x = nan µm is beyond"),
    ],
)
def test_a_place_beyond_a_limit_is_refused_before_anything_moves(place, said, twin, stage):
    with pytest.raises(StageError, match=said):
        stage.move_to(place)
    assert twin.moves == []


@pytest.mark.parametrize(
    ("firmware", "said"), [("0.5", "stopped at .* short of"), ("1.0", "ran into an end stop")]
)
def test_an_end_stop_is_an_error_and_the_place_is_the_true_one(firmware, said, link):
    twin = SangaboardTwin(link, firmware, stops=(-300, 300))
    stage = SerialStage(str(link), PLAIN)
    with pytest.raises(StageError, match=said):
        stage.move_to(Place(400, 0, 0))
    assert stage.place == Place(150, 0, 0)
    stage.move_to(Place(100, 0, 0))  # and it can be moved away again
    assert twin.position == [200, 0, 0]
    stage.close()
    twin.close()


def test_a_board_that_falls_silent_is_an_error_in_time_and_opened_anew(twin, stage, monkeypatch):
    monkeypatch.setattr(sangaboard, "_ANSWER_S", 0.2)
    twin.silent = True
    before = time.monotonic()
    with pytest.raises(StageError, match=r"did not answer 'mr 20 0 0' within .* check that its mo"):
        stage.move_to(Place(10, 0, 0))
    assert time.monotonic() - before < 1 + BUSY_S
    twin.silent = False
    stage.move_to(Place(10, 0, 0))
    assert twin.position == [20, 0, 0]


def test_a_refused_command_is_an_error_with_the_boards_words(twin, stage):
    twin.says = "Error: command is mr <int> <int> <int>"
    with pytest.raises(StageError, match=r"refused 'mr 20 0 0': Error: command is mr"):
        stage.move_to(Place(10, 0, 0))


def test_an_answer_that_means_nothing_is_an_error(twin, stage):
    twin.says = "42"
    with pytest.raises(StageError, match="'42', which no known firmware does"):
        stage.move_to(Place(10, 0, 0))


def test_a_board_that_restarts_on_the_way_is_an_error_and_keeps_its_place(twin, stage):
    stage.move_to(Place(50, 60, 7))
    twin.restart_in = 1
    with pytest.raises(StageError, match=r"restarted during .*: check its power supply"):
        stage.move_to(Place(100, 60, 7))
    twin.forget()  # it counts from 0 now; the gears held
    stage.move_to(Place(60, 60, 7))
    assert twin.moves[-1] == (20, 0, 0)
    assert stage.place == Place(60, 60, pytest.approx(7))


def test_unplugging_is_an_error_and_plugging_in_again_is_enough(twin, stage):
    stage.move_to(Place(50, 0, 0))
    twin.unplug()
    with pytest.raises(StageError, match=r"is gone .*plug it in again"):
        stage.move_to(Place(60, 0, 0))
    with pytest.raises(StageError, match=r"cannot open the stage .*check its plug"):
        stage.move_to(Place(60, 0, 0))
    assert stage.place == Place(50, 0, 0)
    twin.plug_in()
    stage.move_to(Place(60, 0, 0))
    assert twin.position == [120, 0, 0]


def test_unplugging_in_the_middle_of_a_move_is_an_error_at_once(link):
    twin = SangaboardTwin(link, step_us=2000)
    stage = SerialStage(str(link), PLAIN)
    threading.Timer(0.3, twin.unplug).start()
    before = time.monotonic()
    with pytest.raises(StageError, match="is gone"):
        stage.move_to(Place(500, 0, 0))
    assert time.monotonic() - before < 1 + BUSY_S
    stage.close()


def test_a_long_way_is_halted_within_a_second_and_the_place_is_known(link):
    twin = SangaboardTwin(link, "0.5", step_us=2000)
    stage = SerialStage(str(link), PLAIN)
    halted: list[float] = []
    threading.Timer(0.2, lambda: (stage.halt(), halted.append(time.monotonic()))).start()
    with pytest.raises(StageError, match="told to stop"):
        stage.move_to(Place(900, 0, 0))
    assert time.monotonic() - halted[0] < 1 + BUSY_S
    assert 0 < stage.place.x < 900
    assert twin.position == [round(stage.place.x / 0.5), 0, 0]
    stage.close()
    twin.close()


def test_a_board_without_a_memory_can_be_told_where_it_stands(twin, stage):
    assert stage.forgot
    stage.believe(Place(100, 200, 5))
    assert stage.place == Place(100, 200, 5)
    assert not stage.forgot
    stage.move_to(Place(110, 200, 5))
    assert twin.moves == [(20, 0, 0)]


def test_a_board_that_remembers_says_so(link):
    twin = SangaboardTwin(link, "0.5", position=(20, 0, 0))
    stage = SerialStage(str(link), PLAIN)
    assert not stage.forgot
    stage.close()
    twin.close()


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ("Grbl 1.1h ['$' for help]", "no Sangaboard answers .*Grbl 1.1h.* came instead"),
        ("Sangaboard Firmware v9.9", "v9.9', a firmware that is not known here .*flash one"),
    ],
)
def test_another_device_is_no_stage(says, said, link, monkeypatch):
    monkeypatch.setattr(sangaboard, "HANDSHAKE_S", 0.3)
    twin = SangaboardTwin(link, says=says)
    with pytest.raises(StageError, match=said):
        SerialStage(str(link), PLAIN)
    twin.close()


def test_a_device_that_says_nothing_is_no_stage(link, monkeypatch):
    monkeypatch.setattr(sangaboard, "HANDSHAKE_S", 0.3)
    twin = SangaboardTwin(link, silent=True)
    with pytest.raises(StageError, match=r"no Sangaboard answers .*check its power"):
        SerialStage(str(link), PLAIN)
    twin.close()


def test_a_port_that_is_not_there_or_taken_is_a_clear_error(tmp_path, twin, stage):
    with pytest.raises(StageError, match=r"cannot open the stage at .*ttyNONE .*group dialout"):
        SerialStage(str(tmp_path / "ttyNONE"), PLAIN)
    with pytest.raises(StageError, match=r"cannot open the stage at .*no other program has it"):
        SerialStage(str(twin.link), PLAIN)


def test_a_closed_stage_does_not_move_and_closes_twice(stage):
    stage.close()
    stage.close()
    with pytest.raises(StageError, match="closed"):
        stage.move_to(Place(1, 1, 1))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"um_per_step": (0.5, 0, 0.1)}, "um_per_step of y is 0: measure"),
        ({"low_um": (0, 0, 5000)}, r"low_um of z \(5000.0\) is not below its high_um"),
        ({"backlash_um": (-1, 0, 0)}, "backlash_um of x is negative"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        SerialStageSettings(**wrong)
