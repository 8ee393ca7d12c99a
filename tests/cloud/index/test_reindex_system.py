"""`leukoscope-cloud reindex` at a real store."""

import asyncio
import json
import subprocess
import sys

import pytest
import tomli_w
from made_chains import signed
from reading_desk import KEY
from slide_results import field_result, reading

from cloud.index.index import Index
from cloud.index.worklist import one
from cloud.reviews.entry import digest
from cloud.reviews.signing import sign
from cloud.stores import keys
from cloud.worker.outcome import store_reading

pytestmark = pytest.mark.system


@pytest.fixture
def reindex(tmp_path, store):
    """`reindex(…)` runs it as a person would, with a projection in the test's folder."""
    file = tmp_path / "cloud.toml"
    plain = store.model_dump(exclude_none=True, exclude={"secret_access_key"})
    secret = {"secret_access_key": store.secret_access_key.get_secret_value()}
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    file.write_text(tomli_w.dumps({"store": plain | secret, "index_url": url}))

    def run(*arguments):
        command = [sys.executable, "-m", "cloud", "reindex", "--config", str(file), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    run.url = url
    return run


def test_reindex_makes_the_projection_of_a_real_bucket_and_then_finds_it_sound(reindex, objects):
    async def fill():
        for n in range(12):
            result = field_result(
                n, ["ALL", "Normal"], slide=f"s{n % 3}", site="a" if n % 2 else "a-b"
            )
            await store_reading(reading(result), objects)

    asyncio.run(fill())
    checked = reindex("--check")
    assert checked.returncode == 1, checked.stderr
    assert "6 slides different: a/s0" in checked.stdout
    made = reindex("--json")
    assert made.returncode == 0, made.stderr
    report = json.loads(made.stdout)
    assert (report["results"], report["slides"], len(report["mended"])) == (12, 6, 6)
    index = Index(reindex.url)
    assert one(index, "a-b", "s1").cells == 4
    index.close()
    again = reindex("--check")
    assert again.returncode == 0
    assert "it holds nothing of its own" in again.stdout


def test_a_review_laid_under_another_slide_s_key_is_named_and_ends_with_1(reindex, objects):
    async def fill():
        results = [field_result(n, ["Normal"], slide=f"s{n}") for n in (1, 2)]
        for result in results:
            await store_reading(reading(result), objects)
        for entry in signed(results[:1])[0]:
            data = sign(entry, KEY)
            for slide in ("s1", "s2"):
                witness = keys.witness("home", slide, entry.number)
                await objects.create(keys.review("home", slide, entry.number), data)
                await objects.create(witness, digest(data).encode())

    asyncio.run(fill())
    made = reindex()
    assert made.returncode == 1, made.stderr
    assert "1 slide has reviews that are not as they were written" in made.stdout
    assert "home/s2: from entry 1 on: misplaced" in made.stdout
    index = Index(reindex.url)
    assert [one(index, "home", slide).state for slide in ("s1", "s2")] == ["signed", "open"]
    index.close()
    told = reindex("--check", "--json")
    assert told.returncode == 1
    report = json.loads(told.stdout)
    assert (report["mended"], list(report["unsound"])) == ([], ["home/s2"])
