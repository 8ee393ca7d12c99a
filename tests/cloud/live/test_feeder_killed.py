"""A feeder that is killed again and again, at real parts: at the end nothing is missing."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w
from brokers import clients, mosquitto
from feeding import is_what_the_bucket_says, soon, store_and_ring
from made_chains import signed
from reading_desk import KEY
from rig import until
from slide_results import field_result

from cloud.index.index import Index
from cloud.index.worklist import one
from cloud.reviews.entry import digest
from cloud.reviews.signing import sign
from cloud.stores import keys
from wire.broker import BrokerSettings

pytestmark = pytest.mark.system

PROGRAM = Path(__file__).resolve().parents[2] / "support" / "feeder_program.py"
FIELDS = 60


@pytest.fixture(params=["Mosquitto", "embedded"])
def broker(request, home, tmp_path):
    if request.param == "embedded":
        yield BrokerSettings(
            port=home.ports["mqtt"],
            protocol="3.1.1",
            username=home.credentials.broker_username,
            password=home.credentials.broker_password,
        )
        return
    with mosquitto(tmp_path / "broker") as running:
        yield running.settings(protocol="5")


@pytest.fixture
def program(broker, store, tmp_path):
    """`program.start()` and `program.kill()` a feeder with a projection in the test's folder."""

    class Program:
        url = f"sqlite:///{tmp_path / 'index.sqlite'}"
        process = None

        def start(self):
            command = [sys.executable, str(PROGRAM), str(file)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

        def kill(self):
            if self.process is not None:
                self.process.kill()
                self.process.wait()

    plain = store.model_dump(exclude_none=True, exclude={"secret_access_key"})
    plain["secret_access_key"] = store.secret_access_key.get_secret_value()
    values = broker.model_dump(exclude_none=True, exclude={"password"}, mode="json")
    if broker.password is not None:
        values["password"] = broker.password.get_secret_value()
    file = tmp_path / "cloud.toml"
    index_url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    file.write_text(
        tomli_w.dumps(
            {"store": plain, "broker": values, "index_url": index_url, "site": store.bucket}
            | {"name": store.bucket}
        )
    )
    with (tmp_path / "feeder.log").open("wb") as log:
        running = Program()
        yield running
        running.kill()


def test_killed_again_and_again_its_projection_is_what_the_bucket_says(
    program, broker, store, objects
):
    """Half of the fields come while it is away; a signature does, too."""
    draw = random.Random(5)
    site = store.bucket

    async def work(bell):
        told = [field_result(n, ["Normal"], slide=f"s{n % 3}", site=site) for n in range(FIELDS)]
        draw.shuffle(told)
        program.start()
        until(lambda: Path(program.url.removeprefix("sqlite:///")).exists(), 20, "it starts")
        for place, result in enumerate(told):
            await store_and_ring(objects, bell, result)
            if place in (12, 25, 40):
                program.kill()
            if place in (18, 33, 48):
                program.start()
        await _sign(objects, [result for result in told if result.slide == "s1"])
        index = Index(program.url)
        await soon(lambda: _count(index, site) == FIELDS, "every field", 60)
        program.kill()  # before it heard of the signature, or after: nobody rang
        program.start()
        await soon(lambda: one(index, site, "s1").state == "signed", "the signature", 60)
        assert await is_what_the_bucket_says(objects, index)
        index.close()

    with clients() as make:
        asyncio.run(asyncio.wait_for(work(make(broker, "bell", persistent=False).start()), 150))


def _count(index, site):
    lines = [one(index, site, f"s{n}") for n in range(3)]
    return sum(line.fields for line in lines if line is not None)


async def _sign(objects, results):
    """Seen, and signed, by a desk elsewhere."""
    entries, _ = signed(results)
    for entry in entries:
        data = sign(entry, KEY)
        await objects.create(keys.review(entry.site, entry.slide, entry.number), data)
        await objects.create(
            keys.witness(entry.site, entry.slide, entry.number), digest(data).encode()
        )
