"""Signed reports at a real FHIR R4 server: `python tests/bench/fhir_trial.py`.

The server is what Medplum's answers with (Apache-2.0: its router, transactions and validator, from
npm), over its store in memory: tests/support/fhir_server. It needs node 20 and the npm registry.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from report_slides import STAGES, facts_of
from signing_room import amended, signing_room

from cloud.reports.fhir.bundle import make_bundle
from cloud.signing.letters import Letters
from cloud.signing.post import FhirRefused, FhirServer
from cloud.signing.settings import FhirSettings

SERVER = Path(__file__).resolve().parents[1] / "support" / "fhir_server"
TOKEN = "a token for a trial"  # noqa: S105  # of a server that lives for this script


@contextmanager
def served() -> Iterator[str]:
    """The server, in a folder of its own; gives its base address."""
    with tempfile.TemporaryDirectory() as folder:
        for file in SERVER.iterdir():
            shutil.copy(file, folder)
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(install, cwd=folder, check=True)
        environment = os.environ | {"FHIR_TOKEN": TOKEN, "PORT": "0"}
        with subprocess.Popen(
            [shutil.which("node") or "node", "server.cjs"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stdout is not None
            try:
                yield running.stdout.readline().strip()
            finally:
                running.terminate()


def statuses(url: str) -> list[str]:
    """Of every version of a resource, the newest first."""
    answer = httpx.get(f"{url}/_history", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    return [entry["resource"]["status"] for entry in answer.raise_for_status().json()["entry"]]


async def every_stage(url: str) -> None:
    """The bundle of each stage of a slide's reading is taken, by R4's own definitions."""
    server = FhirServer(FhirSettings(url=url, token=TOKEN))
    for stage in STAGES:
        bundle = await asyncio.to_thread(lambda stage=stage: make_bundle(facts_of(stage)))
        await server.post(bundle)
        print(f"taken   {stage}: {len(json.loads(bundle)['entry'])} resources, {len(bundle)} bytes")
    wrong = json.loads(bundle)
    wrong["entry"][1]["resource"]["colour"] = "red"
    try:
        await server.post(msgspec.json.encode(wrong))
    except FhirRefused as refused:
        print(f"refused {refused}: {refused.reason}")
    else:
        raise SystemExit("what is no FHIR was taken")
    await server.close()


async def one_slide(url: str) -> None:
    """Signed, amended twice, with the room's own outbox."""
    async with signing_room(url=url, token=TOKEN) as signing, signing.running():
        await signing.here.sign()
        await amended(signing.here, "a second look")
        await amended(signing.here, "a third look", "AML")
        await signing.done()
        assert not await Letters(signing.objects).names()
        bundle = await signing.after.taken("home", "s1", 3, "fhir.json")
        assert bundle is not None
        report = json.loads(bundle)["entry"][0]["resource"]["id"]
        history = await asyncio.to_thread(statuses, f"{url}/DiagnosticReport/{report}")
        print("history, newest first:", *history)
        # Behind these three are those of the stages, which are of the same slide.
        assert history[:3] == ["amended", "amended", "final"]


def main() -> None:
    """Try all."""
    with served() as url:
        print(f"server  {url}")
        asyncio.run(every_stage(url))
        asyncio.run(one_slide(url))
    print("all well")


if __name__ == "__main__":
    main()
