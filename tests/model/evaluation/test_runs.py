"""A run folder read by evaluation, whoever wrote it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from runs import realistic_run, simple_run

from model.errors import ModelError
from model.evaluation.runs import read_run


def test_a_run_of_this_room_is_read(tiny_run: Path) -> None:
    run = read_run(tiny_run)
    assert run.seed == 1
    assert run.leak == ""
    assert run.abstain_below is not None
    assert len(run.predictions) > 0


def test_an_old_run_is_named_by_its_configuration(tmp_path: Path) -> None:
    folder = simple_run(tmp_path / "run", "AN", "AN")
    (folder / "facts.json").write_text("{}")
    assert read_run(folder).title == "run"
    config = {"mode": "plain", "seed": 7, "leave_out": ["pbc"]}
    (folder / "config.json").write_text(json.dumps(config))
    run = read_run(folder)
    assert (run.title, run.seed) == ("AC-GAN's discriminator trained plainly", 7)
    assert run.split == "leave-out:pbc"
    assert run.abstain_below is None


def test_a_random_split_leaks_by_its_name(tmp_path: Path) -> None:
    assert "leaks" in read_run(simple_run(tmp_path / "run", "AN", "AN", split="random")).leak


def test_a_split_leaks_where_a_patient_is_on_both_sides_whatever_its_name(tmp_path: Path) -> None:
    folder = simple_run(tmp_path / "run", "AANN", "AANN", split="mine.csv")
    assert read_run(folder).leak == ""
    with (folder / "split.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["other", "made", "g2", "cell", "ALL", "train"])
    assert "1 of 4 held-out patients" in read_run(folder).leak


def test_near_duplicates_that_the_split_found_are_a_leak(tmp_path: Path) -> None:
    crossings = {"groups": 0, "pictures": 0, "near_duplicates": 3, "example": "a and b"}
    folder = simple_run(tmp_path / "run", "AN", "AN", crossings=crossings)
    assert read_run(folder).leak == (
        "split group leaks: 3 near-duplicates are in the training part too"
    )
    named = simple_run(tmp_path / "named", "AN", "AN", split="leaky:mine.csv")
    assert "leaks wherever" in read_run(named).leak


def test_a_source_left_out_is_part_of_the_split(tmp_path: Path) -> None:
    folder = simple_run(tmp_path / "run", "AN", "AN", split="kfold:1/5")
    config = {"name": "vgg16", "cells": {"leave_out": ["pbc", "lmu"]}}
    (folder / "config.json").write_text(json.dumps(config))
    assert read_run(folder).split == "kfold:1/5, without pbc,lmu"


def test_pictures_must_fit_the_predictions(tmp_path: Path) -> None:
    folder = realistic_run(tmp_path / "run", pictures=True)
    pictures = read_run(folder).pictures()
    assert pictures is not None
    assert isinstance(pictures, np.memmap)
    fewer = np.array(pictures[:-1])
    (folder / "pictures.npy").unlink()  # still mapped: writing into it would pull it from below
    np.save(folder / "pictures.npy", fewer)
    with pytest.raises(ModelError, match=r"pictures for .* predictions"):
        read_run(folder).pictures()
    (folder / "pictures.npy").write_text("no array")
    with pytest.raises(ModelError, match="no array of pictures"):
        read_run(folder).pictures()


@pytest.mark.parametrize("name", ["facts.json", "config.json"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = simple_run(tmp_path / "run", "AN", "AN")
    (folder / name).write_text("{")
    with pytest.raises(ModelError, match=f"{name} is damaged"):
        read_run(folder)


def test_a_split_without_its_columns_and_no_run_are_named(tmp_path: Path) -> None:
    folder = simple_run(tmp_path / "run", "AN", "AN")
    (folder / "split.csv").write_text("key\na\n")
    with pytest.raises(ModelError, match="no column 'part'"):
        read_run(folder)
    with pytest.raises(ModelError, match="not a finished run"):
        read_run(tmp_path)
