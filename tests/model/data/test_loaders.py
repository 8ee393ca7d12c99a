"""Data sets come in as they are distributed, with their patients, and say what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from layouts import WrittenIdb, write_all_idb, write_c_nmc, write_folder, write_pbc, write_picture

from imaging.simulator import render_cell
from model.config import TrainingConfig
from model.data.cells import CellSet
from model.data.classes import ClassMap
from model.data.cutting import Cutter
from model.data.gather import gather
from model.data.kinds import source
from model.data.mixture import load, sources
from model.data.pictures import PictureSource
from model.errors import ModelError
from model.labels import LABELS

CUT = Cutter(size=28, variants=1, seed=1)
WHOLE = Cutter(size=28, variants=1, seed=1, whole=True)


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


def listed(typed: str, *mapped: str) -> PictureSource:
    found = source(typed, ClassMap.parse(mapped), seed=1, threads=2)
    assert isinstance(found, PictureSource)
    return found


def cells_of(typed: str, *mapped: str, cutter: Cutter = CUT) -> CellSet:
    return gather(source(typed, ClassMap.parse(mapped), seed=1, threads=2), cutter, silent)


def names(cells: CellSet) -> list[str]:
    return [LABELS[label] for label in cells.labels]


@pytest.fixture(scope="module")
def idb(tmp_path_factory: pytest.TempPathFactory) -> WrittenIdb:
    return write_all_idb(tmp_path_factory.mktemp("idb"), fields=4, seed=3)


def test_crops_of_all_idb_are_grouped_by_the_field_they_were_cut_from(idb: WrittenIdb) -> None:
    crops = listed(f"all-idb2:{idb.folder}").pictures
    assert {p.path.stem: p.group for p in crops} == {
        crop: f"all-idb/{field}" for crop, field in idb.parents.items()
    }
    assert listed(f"all-idb:{idb.folder}").notes() == []


def test_blasts_are_cut_around_their_centres_and_normal_cells_as_found(idb: WrittenIdb) -> None:
    cells = cells_of(f"all-idb:{idb.folder}?part=1")
    given = [len(f.read_text().splitlines()) for f in idb.folder.rglob("*.xyc")]
    assert names(cells).count("ALL") == sum(given) > 0
    assert "Normal" in names(cells)
    assert set(cells.groups) == {f"all-idb/{f.stem}" for f in idb.folder.rglob("*.jpg")}
    assert all("#" in key for key in cells.keys)


def test_taken_whole_a_field_is_one_picture_as_in_the_paper(idb: WrittenIdb) -> None:
    cells = cells_of(f"all-idb1:{idb.folder}", cutter=WHOLE)
    assert cells.keys.tolist() == [f"all-idb1/{f.stem}" for f in sorted(idb.folder.rglob("*.jpg"))]
    assert names(cells) == ["ALL", "Normal", "ALL", "Normal"]
    forced = cells_of(f"all-idb1:{idb.folder}?idb1=fields")
    assert np.array_equal(forced.cells, cells.cells)
    single = cells_of(f"all-idb1:{idb.folder}?idb1=cells", cutter=WHOLE)
    assert single.keys.tolist() == cells_of(f"all-idb1:{idb.folder}").keys.tolist()


def test_without_the_fields_each_crop_is_its_own_group_and_it_says_so(idb: WrittenIdb) -> None:
    alone = listed(f"all-idb:{idb.folder / 'ALL_IDB2' / 'img'}")
    assert len({p.group for p in alone.pictures}) == len(idb.parents)
    assert "were found in no field" in alone.notes()[0]


def test_a_field_without_its_centres_is_told_by_name(tmp_path: Path) -> None:
    write_picture(tmp_path / "ALL_IDB1" / "im" / "Im001_1.jpg", np.full((99, 99, 3), 9, np.uint8))
    with pytest.raises(ModelError, match=r"Im001_1.jpg has no centres of blasts: expected .*xyc"):
        cells_of(f"all-idb:{tmp_path}")


def test_centres_that_are_no_numbers_are_told_by_line(tmp_path: Path) -> None:
    write_picture(tmp_path / "idb1" / "Im001_1.jpg", np.full((99, 99, 3), 9, np.uint8))
    (tmp_path / "idb1" / "Im001_1.xyc").write_text("12\t30\nabc\n")
    with pytest.raises(ModelError, match=r"Im001_1.xyc line 2: 'abc' is not x and y"):
        cells_of(f"all-idb:{tmp_path}")


def test_subjects_of_c_nmc_are_groups(tmp_path: Path) -> None:
    cells = cells_of(f"c-nmc:{write_c_nmc(tmp_path, subjects=2)}")
    assert dict(zip(cells.groups, names(cells), strict=True)) == {
        "c-nmc/1": "ALL", "c-nmc/2": "ALL", "c-nmc/H1": "Normal", "c-nmc/H2": "Normal",
    }  # fmt: skip
    assert len(cells) == 8


def test_subjects_of_c_nmc_under_two_numbers_are_one(tmp_path: Path) -> None:
    picture = render_cell("lymphocyte", 1).image
    for subject in ("H3", "H10", "h3", "3"):
        write_picture(tmp_path / f"UID_{subject}_1_{len(subject)}_hem.bmp", picture)
    assert {p.group for p in listed(f"c-nmc:{tmp_path}").pictures} == {"c-nmc/H3", "c-nmc/3"}


def test_pbc_is_normal_and_without_platelets(tmp_path: Path) -> None:
    cells = cells_of(f"pbc:{write_pbc(tmp_path)}")
    assert set(names(cells)) == {"Normal"}
    assert set(cells.kinds) == {"neutrophil", "lymphocyte", "monocyte"}


def test_folders_are_classes_and_names_may_tell_patients(tmp_path: Path) -> None:
    cells = cells_of(rf"folder:{write_folder(tmp_path / 'mine', each=1)}?group=^(p\d+)_")
    assert set(cells.groups) == {"mine/p0", "mine/p1", "mine/p2"}
    assert sorted(names(cells)) == ["AML"] * 3 + ["Normal"] * 3


def test_folders_of_sources_hold_folders_of_classes(tmp_path: Path) -> None:
    for name in ("munich", "berlin"):
        write_folder(tmp_path / name, patients=1, each=1)
    cells = cells_of(f"folder:{tmp_path}")
    assert set(cells.sources) == {"munich", "berlin"}
    assert len(set(cells.groups)) == 4


def test_a_map_says_what_a_folder_is_and_leaves_others_out(tmp_path: Path) -> None:
    kinds = (("blast", "myeloblast"), ("lymphocyte", "lymphocyte"), ("odd", "monocyte"))
    write_folder(tmp_path, kinds, patients=1, each=1)
    with pytest.raises(ModelError, match="'blast' is not a class"):
        cells_of(f"folder:{tmp_path}")
    cells = cells_of(f"folder:{tmp_path}", "blast=AML", "lymphocyte=normal", "odd=")
    assert names(cells) == ["AML", "Normal"]


def test_a_map_that_names_nothing_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, patients=1, each=1)
    config = TrainingConfig(data=(f"folder:{tmp_path}",), class_map=("blats=AML",))
    with pytest.raises(ModelError, match=r"nothing is called so. The data have AML, Normal"):
        list(sources(config))


def test_a_folder_named_unlabelled_has_no_labels_whatever_it_holds(tmp_path: Path) -> None:
    config = TrainingConfig(
        unlabelled_data=(str(write_folder(tmp_path, patients=1)),), size=28, variants=1
    )
    ((_, found),) = sources(config)
    assert set(load(config, found, silent).labels.tolist()) == {-1}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("folder:{}/gone", "gone is not a folder"),
        ("folder:{}", "holds no picture"),
        ("pbc:{}?x=1", "there is no option 'x'"),
        ("all-idb:{}?part=3", "part=3 is not 1 or 2"),
        ("simulator:many", "write simulator:N"),
        ("csv:{}", "is not known: write one of index:"),
        ("index", "is not known"),
    ],
)
def test_what_is_typed_wrong_is_told(tmp_path: Path, typed: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        cells_of(typed.format(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,source\na.png,x\n", "lacks the columns label"),
        ("path,label\na.png,Sick\n", r"index.csv line 2: 'Sick' is not a class"),
        ("path,label,group\na.png\n", r"line 2 has not as many fields"),
        ("path,label\n,AML\n", r"line 2 names no path"),
    ],
)
def test_an_index_says_which_line_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(ModelError, match=said):
        cells_of(f"index:{tmp_path / 'index.csv'}")


def test_an_index_may_call_patients_groups(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", render_cell("neutrophil", 1).image)
    (tmp_path / "mine.csv").write_text("path,label,group\na.png,normal,slide 4\n")
    cells = cells_of(f"index:{tmp_path / 'mine.csv'}")
    assert cells.groups.tolist() == ["mine/slide 4"]
    assert names(cells) == ["Normal"]


def test_a_picture_taken_whole_is_resized_and_nothing_else(tmp_path: Path) -> None:
    import cv2

    image = render_cell("monocyte", 2).image
    cuts = Cutter(28, 3, 1, whole=True).cut(image, None, "a")
    assert np.array_equal(cuts[0], cv2.resize(image, (28, 28), interpolation=cv2.INTER_AREA))
    assert not np.array_equal(cuts[1], cuts[2])
    assert abs(cuts[1].mean() - cuts[0].mean()) < 12
