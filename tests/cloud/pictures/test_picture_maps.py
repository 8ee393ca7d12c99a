"""What the model looked at: drawn by the very model that made the suggestion."""

import asyncio
import io

import msgspec
import numpy as np
import pytest
from bundles import renamed_bundle, signing_keys
from pictured_slide import Pictured, classifier, read_field, smear_field
from PIL import Image

from cloud.pictures import PictureError
from cloud.pictures.heat import draw
from imaging.box import Box
from imaging.crop import cut_cells
from imaging.decode import decode
from wire.manifest import sha256_of
from wire.messages import ModelRef
from wire.registry import version_prefix


def run(look, tmp_path, **settings):
    async def whole():
        here = Pictured(tmp_path, **settings)
        try:
            return await look(here)
        finally:
            await here.close()

    return asyncio.run(asyncio.wait_for(whole(), 60))


def where(result, n=0):
    return result.site, result.device, result.capture_id, n


def rgba(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGBA"))


def opacity(png):
    return rgba(png)[..., 3].astype(float)


async def publish(here, bundle, name, version):
    prefix = version_prefix(name, version)
    for file in bundle.iterdir():
        await here.objects.put(prefix + file.name, file.read_bytes())


def by_another(number, name, version, sha256):
    """Field `number`, as if another model had read it."""
    model = ModelRef(name, version, sha256)
    reading = read_field(number)
    return msgspec.structs.replace(reading.result, model=model)


def gone(model):
    return pytest.raises(
        PictureError, match=rf"{model} .*cannot be drawn", check=lambda e: e.code == "model-gone"
    )


def test_a_map_is_strongest_where_the_class_stands_furthest_above_the_others():
    activation = np.zeros((8, 8, 3), np.float32)
    activation[2, 5, 1] = 6.0  # a place that speaks for class 1
    activation[6, 1, :] = 9.0  # a place that speaks for all alike says nothing
    shown = opacity(draw(activation, 1, 160))
    assert shown.shape == (160, 160)
    assert np.unravel_index(shown.argmax(), shown.shape) == pytest.approx((50, 110), abs=10)
    assert shown[130, 30] == 0
    assert shown.max() == pytest.approx(255 * 0.75, abs=2)


def test_where_a_class_is_spoken_against_nothing_is_drawn():
    activation = np.zeros((8, 8, 3), np.float32)
    activation[..., 0] = -3.0
    assert opacity(draw(activation, 0, 160)).max() == 0
    assert opacity(draw(activation, 1, 160)).min() > 0


def test_little_evidence_is_not_blown_up_to_look_like_much():
    activation = np.zeros((8, 8, 3), np.float32)
    activation[4, 4, 2] = 0.15
    assert opacity(draw(activation, 2, 160)).max() < 0.15 * 255


def test_colours_go_from_dark_to_light_in_even_steps():
    ramp = np.zeros((1, 64, 3), np.float32)
    ramp[0, :, 0] = np.linspace(0, 6, 64)
    colours = rgba(draw(ramp, 0, 160))[80, ::16, :3].astype(float)
    light = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > 0).all()


def test_the_map_of_a_cell_is_that_of_the_shipped_model_that_named_it(tmp_path):
    async def look(here):
        result = await here.hold(read_field(0))
        shown = [await here.pictures.map(*where(result, n)) for n in range(len(result.cells))]
        boxes = [Box(*msgspec.structs.astuple(cell.box)) for cell in result.cells]
        maker = classifier()
        maps = maker.activations(cut_cells(decode(smear_field(0)[0]), boxes, *maker.input_size))
        for png, activation, cell in zip(shown, maps, result.cells, strict=True):
            likely = max(cell.probabilities, key=cell.probabilities.get)
            assert png == draw(activation, maker.manifest.labels.index(likely), 160)
        assert rgba(shown[0]).shape == (160, 160, 4)

    run(look, tmp_path)


def test_the_mean_of_a_map_is_the_logit_behind_the_probability():
    """So a map is what the suggestion was made of, and not a picture beside it."""
    maker = classifier()
    boxes = [Box(*msgspec.structs.astuple(cell.box)) for cell in read_field(0).result.cells]
    cells = cut_cells(decode(smear_field(0)[0]), boxes, *maker.input_size)
    logits = maker.activations(cells).mean(axis=(1, 2)) / maker.manifest.temperature
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    for row, said in zip(
        odds / odds.sum(axis=1, keepdims=True), maker.classify(cells), strict=True
    ):
        assert list(said.probabilities.values()) == pytest.approx(row.tolist(), abs=2e-4)


def test_an_old_model_is_fetched_from_the_registry_once_and_kept(tmp_path):
    bundle = renamed_bundle(tmp_path / "old", "acgan", "0.1.0")
    digest = sha256_of(bundle / "manifest.json")
    trust = {"trusted_keys": [signing_keys().public]}

    async def fetched(here):
        await publish(here, bundle, "acgan", "0.1.0")
        await here.hold(read_field(0))
        result = by_another(0, "acgan", "0.1.0", digest)
        result = msgspec.structs.replace(result, device="scope-2")
        here.index.put([result])
        png = await here.pictures.map(*where(result))
        assert opacity(png).max() > 0
        assert (here.settings.picture_cache / "models" / digest / "classifier.onnx").is_file()
        return result

    async def from_disk(here):
        here.index.put([result])
        here.pictures._kept._recent.clear()
        found = await here.pictures._makers.of(result.model)
        assert found.model.sha256 == digest

    (tmp_path / "room").mkdir()
    result = run(fetched, tmp_path / "room", **trust)
    run(from_disk, tmp_path / "room", **trust)


def test_the_bundle_of_the_settings_is_asked_before_the_store(tmp_path):
    bundle = renamed_bundle(tmp_path / "ours", "ours", "2.0.0")
    digest = sha256_of(bundle / "manifest.json")

    async def look(here):
        await here.hold(read_field(0))
        result = by_another(0, "ours", "2.0.0", digest)
        here.index.put([msgspec.structs.replace(result, device="scope-2")])
        found = await here.pictures._makers.of(result.model)
        assert found.model.sha256 == digest
        assert not list((here.settings.picture_cache / "models").iterdir()), "nothing was fetched"

    run(look, tmp_path, bundle=bundle, trusted_keys=[signing_keys().public])


def test_of_many_models_a_few_stay_open(tmp_path):
    async def look(here):
        makers = here.pictures._makers
        for n in range(5):
            bundle = renamed_bundle(tmp_path / f"b{n}", "acgan", f"0.{n}.0")
            await publish(here, bundle, "acgan", f"0.{n}.0")
            digest = sha256_of(bundle / "manifest.json")
            assert (await makers.of(ModelRef("acgan", f"0.{n}.0", digest))).model.sha256 == digest
        assert len(makers._open) == 3
        assert len(list((here.settings.picture_cache / "models").iterdir())) == 3

    run(look, tmp_path, trusted_keys=[signing_keys().public])


def test_a_model_that_is_nowhere_or_is_another_or_is_not_trusted_is_gone(tmp_path):
    bundle = renamed_bundle(tmp_path / "old", "acgan", "0.1.0")
    digest = sha256_of(bundle / "manifest.json")

    async def look(here):
        await here.hold(read_field(0))
        asked = {
            "scope-2": by_another(0, "acgan", "0.9.0", "a" * 64),  # nowhere
            "scope-3": by_another(0, "acgan", "0.1.0", "b" * 64),  # written over
            "scope-4": by_another(0, "acgan", "0.1.0", digest),  # signed by a key not trusted here
            "scope-5": by_another(0, "../etc", "0.1.0", "c" * 64),  # no name at all
        }
        await publish(here, bundle, "acgan", "0.1.0")
        for device, result in asked.items():
            result = msgspec.structs.replace(result, device=device)
            here.index.put([result])
            with gone(result.model.name):
                await here.pictures.map(*where(result))
            assert (await here.pictures.cell(*where(result)))[:2] == b"\xff\xd8"
        assert [p.name for p in (here.settings.picture_cache / "models").iterdir()] == []

    run(look, tmp_path)


def test_a_model_that_was_not_found_is_not_looked_for_at_every_cell(tmp_path):
    async def look(here):
        asked = []
        here.pictures._makers._fetch = lambda model: asked.append(model) or _never()
        await here.hold(read_field(0))
        result = msgspec.structs.replace(by_another(0, "x", "1", "a" * 64), device="scope-2")
        here.index.put([result])
        for n in (0, 1, 0):
            with gone("x"):
                await here.pictures.map(*where(result, n))
        assert len(asked) == 1

    async def _never():
        raise OSError("not there")

    run(look, tmp_path)


def test_a_cell_of_a_class_that_the_model_does_not_know_has_no_map(tmp_path):
    async def look(here):
        await here.hold(read_field(0))
        result = read_field(0).result
        cells = [msgspec.structs.replace(c, probabilities={"CML": 1.0}) for c in result.cells]
        result = msgspec.structs.replace(result, device="scope-2", cells=cells)
        here.index.put([result])
        with pytest.raises(PictureError, check=lambda error: error.code == "map-missing"):
            await here.pictures.map(*where(result))

    run(look, tmp_path)


def test_looking_at_cells_never_loads_onnxruntime():
    import subprocess
    import sys

    asked = "import sys, cloud.pictures; print('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
