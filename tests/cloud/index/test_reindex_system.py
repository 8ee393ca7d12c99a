"""`leukoscope-cloud reindex` at a real store."""

import asyncio
import json
import subprocess
import sys

import pytest
import tomli_w
from slide_results import field_result, reading

from cloud.index.index import Index
from cloud.index.worklist import one
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
