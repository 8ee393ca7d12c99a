import json
import shutil

import cv2
import pytest
from processes import naming, program, run
from rig import until

from cloud.settings import CloudSettings
from cloud.stores.objects import open_store
from deploy.local.broker import start_broker
from deploy.local.children import Children
from deploy.local.home import Home
from deploy.local.store import start_store
from edge.cameras.simulator import SimulatorCamera

pytestmark = pytest.mark.system

COUNTS = (
    "captured", "saved", "stored", "published", "receipted", "refused", "duplicates", "lost",
)  # fmt: skip


def demo(*arguments):
    """Run it and read its one JSON object."""
    done = run(program("leukoscope"), "demo", "--json", *map(str, arguments))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def counts(summary):
    return {name: summary[name] for name in COUNTS}


def all_well(fields, refused=0):
    through = dict.fromkeys(("saved", "stored", "published", "receipted"), fields)
    return through | {
        "captured": fields + refused,
        "refused": refused,
        "duplicates": 0,
        "lost": 0,
    }


def stored_results(folder):
    """Names of the results in the bucket of an ended run."""
    home = Home(folder)
    with Children(home.logs) as children:
        start_broker(home, children)
        start_store(home, children)
        store = open_store(CloudSettings.load(home.cloud_settings_file).store)
        keys = store.list("results/").collect()
    home.close()
    return {item["path"].rpartition("/")[2].removesuffix(".json") for item in keys}


def test_a_demo_brings_simulated_fields_to_the_bucket_and_the_next_one_finds_them_there(tmp_path):
    data = tmp_path / "data"
    first = demo("--fields", 4, "--data", data)
    assert counts(first) == all_well(4)
    assert first["agreement"]["drawn"] > 0
    assert first["agreement"]["found"] > 0
    assert sum(first["fields_by_label"].values()) == 4
    assert {"capture", "encode", "save", "cloud_classify", "saved_to_received"} <= set(
        first["milliseconds"]
    )
    for values in first["milliseconds"].values():
        assert 0 <= values["p50"] <= values["p99"]
    of_first = {path.stem for path in (data / "results").glob("*.json")}
    assert len(of_first) == 4
    assert {path.stem for path in (data / "results").glob("*.jpg")} == of_first
    assert naming(str(data)) == {}

    second = demo("--fields", 2, "--data", data)
    assert counts(second) == all_well(2)
    assert json.loads((data / "summary.json").read_text()) == second
    now = stored_results(data)
    assert of_first < now
    assert len(now) == 6
    until(lambda: naming(str(data)) == {}, 5, "nothing is left running")


def test_replayed_real_images_are_all_stored(tmp_path, real_images):
    frames = tmp_path / "frames"
    frames.mkdir()
    for image in sorted((real_images / "bccd" / "images").iterdir())[:10]:
        shutil.copy(image, frames)
    summary = demo("--frames", frames, "--data", tmp_path / "data")
    assert counts(summary) == all_well(10)
    assert summary["agreement"] is None


def test_one_broken_image_is_refused_with_its_reason_and_the_others_are_stored(tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    camera = SimulatorCamera(7, "Normal")
    for number in (1, 2, 4):
        picture = cv2.cvtColor(camera.capture().image, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(frames / f"field{number}.jpg"), picture)
    good = (frames / "field1.jpg").read_bytes()
    (frames / "field3.jpg").write_bytes(good[: len(good) // 2])
    summary = demo("--frames", frames, "--data", tmp_path / "data")
    assert counts(summary) == all_well(3, refused=1)
    (sentence,) = summary["refusals"]
    assert "file 3 of the folder" in sentence
    assert "image-truncated" in sentence


@pytest.mark.parametrize(
    ("folder", "says"), [("empty", "holds no JPEG"), ("absent", "name a folder")]
)
def test_a_folder_without_images_ends_with_1_and_a_sentence(tmp_path, folder, says):
    (tmp_path / "empty").mkdir()
    done = run(
        *(program("leukoscope"), "demo", "--json"),
        *("--frames", str(tmp_path / folder), "--data", str(tmp_path / "data")),
    )
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_no_fields_is_wrong_usage(tmp_path):
    done = run(program("leukoscope"), "demo", "--fields", "0", "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "--fields" in done.stderr
