import asyncio

import pytest
import sqlalchemy as sa
from brokers import clients, free_port, mosquitto
from feeding import Fed, feeding, is_what_the_bucket_says, result_topic, soon, store_and_ring
from reading_desk import room
from slide_results import field_result, memory, reading
from structlog.testing import capture_logs

from cloud.index.case import load_case
from cloud.index.index import Index
from cloud.index.worklist import one
from cloud.live import feeder
from cloud.live.news import Change
from cloud.reviews.entry import ROOT, Comment
from cloud.stores.objects import Objects
from cloud.worker.outcome import store_reading
from deploy.local.broker import start_broker
from deploy.local.children import Children
from deploy.local.home import Home
from wire.broker import BrokerSettings
from wire.codec import encode
from wire.connection import Publication
from wire.messages import SlideReview


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


@pytest.fixture
def mosquitto_(tmp_path):
    with mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture(params=["Mosquitto", "embedded"])
def broker(request, tmp_path):
    """Settings of each broker that we promise to work with, running."""
    if request.param == "Mosquitto":
        yield request.getfixturevalue("mosquitto_").settings(protocol="5")
        return
    home = Home(tmp_path / "home")
    with Children(home.logs) as children:
        start_broker(home, children)
        yield BrokerSettings(
            port=home.ports["mqtt"],
            protocol="3.1.1",
            username=home.credentials.broker_username,
            password=home.credentials.broker_password,
            reconnect_min_s=0.1,
            reconnect_max_s=0.4,
        )
    home.close()


@pytest.fixture
def index(tmp_path):
    opened = Index(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def bell(broker):
    """A client that publishes."""
    with clients() as make:
        yield make(broker, "bell", persistent=False).start()


def held(index, slide="s1"):
    """How many fields the projection has of a slide."""
    line = one(index, "home", slide)
    return 0 if line is None else line.fields


def test_results_and_a_signature_are_taken_in_as_they_come_and_told(broker, bell, index):
    async def check():
        async with room([]) as here, feeding(broker, here.objects, index) as fed:
            for number in (1, 2):
                await store_and_ring(here.objects, bell, field_result(number, ["Normal"]))
            await soon(lambda: held(index) == 2, "both fields")
            await here.do(Comment("fine"))
            await here.sign()
            for topic, payload in here.told:
                bell.say(topic, payload)
            await soon(lambda: one(index, "home", "s1").state == "signed", "the signature")
            await soon(lambda: Change("home", "s1", "signed", "ada", 2) in fed.told, "the news")
            assert Change("home", "s1", "fields") in fed.told
            assert load_case(index, "home", "s1") == await here.case()
            assert await is_what_the_bucket_says(here.objects, index)
            assert fed.troubles in ([], [None])

    run(check())


def test_a_signature_brings_the_fields_that_it_is_about_though_nobody_rang_for_them(
    mosquitto_, index
):
    async def check():
        async with room([]) as here, feeding(mosquitto_.settings(), here.objects, index) as fed:
            await asyncio.sleep(0.1)  # caught up
            await here.field(1, ["Normal"])
            await here.sign()
            fed.feeder._connection.publish(Publication(*here.told[0]))
            await soon(lambda: Change("home", "s1", "signed", "ada", 1) in fed.told, "the news")
            assert load_case(index, "home", "s1") == await here.case()

    run(check())


def test_what_came_while_the_program_was_away_comes_at_its_start(broker, bell, index):
    async def check():
        _, objects = memory()
        results = [field_result(n, ["ALL"]) for n in range(6)]
        async with feeding(broker, objects, index):
            await store_and_ring(objects, bell, results[0])
            await soon(lambda: held(index) == 1, "the first")
        for result in results[1:4]:
            await store_and_ring(objects, bell, result)
        for result in results[4:]:
            await store_reading(reading(result), objects)  # and nobody rings
        async with feeding(broker, objects, index):
            await soon(lambda: held(index) == 6, "all")
        assert await is_what_the_bucket_says(objects, index)

    run(check())


def test_a_repeat_a_forgery_and_garbage_change_nothing_are_logged_and_never_come_again(
    broker, bell, index
):
    async def check():
        _, objects = memory()
        true, forged = field_result(1, ["Normal"]), field_result(2, ["AML"])
        async with feeding(broker, objects, index) as fed:
            await store_and_ring(objects, bell, true)
            await soon(lambda: held(index) == 1, "the true one")
            before = list(index.digests())
            for payload in (encode(true), encode(forged), b"\xff garbage", b"{}", b""):
                bell.say(result_topic(true), payload)
            lie = field_result(1, ["AML"] * 9)  # under a true one's name
            bell.say(result_topic(lie), encode(lie))
            bell.say("leukoscope/1/home/reviews/s1", b"garbage")
            for topic in ("leukoscope/1/home/reviews/s1", "leukoscope/1/home/reviews/none"):
                bell.say(topic, encode(_notice(number=3)))
            last = field_result(3, ["Normal"], slide="s2")
            await store_and_ring(objects, bell, last)
            await soon(lambda: held(index, "s2") == 1, "what came behind them")
            assert [pair for pair in index.digests() if pair[0].slide == "s1"] == before
            await soon(lambda: len(fed.feeder._hand) == 0, "all acknowledged")
        with capture_logs() as logs:
            async with feeding(broker, objects, index):
                await store_and_ring(objects, bell, field_result(4, [], slide="s2"))
                await soon(lambda: held(index, "s2") == 2, "the last")
        assert [line["event"] for line in logs if line["log_level"] != "info"] == []
        assert await is_what_the_bucket_says(objects, index)

    with capture_logs() as logs:
        run(check())
    events = [line["event"] for line in logs]
    assert events.count("result_unreadable") == 3
    assert events.count("result_not_stored") == 1
    assert events.count("review_unreadable") == 1
    assert events.count("review_not_stored") == 2


def _notice(**changes):
    values = {
        "site": "home", "slide": "s1", "state": "signed", "number": 1, "entry_sha256": ROOT,
        "reader": "mallory", "at": field_result(1, []).captured_at, "fields": 1, "counts": {},
        "excluded": 0, "machine_counts": {}, "blasts_per_100": None, "blasts_interval": None,
        "models": [],
    }  # fmt: skip
    return SlideReview(**(values | changes))


def test_a_broker_that_is_killed_and_forgets_all_is_made_up_for(mosquitto_, index):
    """Its queue is lost with it; results and a signature come while it is gone."""
    settings = mosquitto_.settings()

    async def check():
        async with room([["Normal"]]) as here, feeding(settings, here.objects, index) as fed:
            await soon(lambda: held(index) == 1, "what was there")
            mosquitto_.kill()
            await soon(lambda: any("broker" in said for said in fed.troubles if said), "told")
            await here.field(7, ["Normal"])
            await here.sign()
            mosquitto_.start()
            await soon(lambda: one(index, "home", "s1").state == "signed", "the signature")
            await soon(lambda: Change("home", "s1", "review") in fed.told, "the news")
            await soon(lambda: fed.troubles[-1] is None, "all is well")
            assert load_case(index, "home", "s1") == await here.case()
            assert await is_what_the_bucket_says(here.objects, index)

    run(check())


class AwayIndex(Index):
    """A database that answers nothing while it is away."""

    away = False

    def put(self, results):
        if self.away:
            raise sa.exc.OperationalError("INSERT", {}, OSError("disk is full"))
        super().put(results)


def test_a_database_that_is_away_is_told_and_nothing_is_acknowledged_or_lost(
    broker, bell, tmp_path
):
    index = AwayIndex(f"sqlite:///{tmp_path / 'away.sqlite'}")

    async def check():
        _, objects = memory()
        async with feeding(broker, objects, index) as fed:
            index.away = True
            for number in range(5):
                await store_and_ring(objects, bell, field_result(number, ["ALL"]))
            await soon(lambda: any("disk is full" in said for said in fed.troubles if said), "told")
            await soon(lambda: len(fed.feeder._hand) > 0, "in hand")
            assert held(index) == 0
        async with feeding(broker, objects, index) as fed:  # the program was ended over it
            await soon(lambda: any("disk is full" in said for said in fed.troubles if said), "told")
            index.away = False
            await soon(lambda: held(index) == 5, "all")
            await soon(lambda: len(fed.feeder._hand) == 0, "acknowledged")
            await soon(lambda: fed.troubles[-1] is None, "all is well")
        assert await is_what_the_bucket_says(objects, index)

    run(check())
    index.close()


class AwayObjects(Objects):
    """A bucket that does not answer while it is away."""

    away = False

    async def _until_answered(self, request):
        while self.away:
            await asyncio.sleep(0.01)
        return await super()._until_answered(request)


def test_a_store_that_is_away_is_waited_for(broker, bell, index):
    async def check():
        store, mine = memory()
        objects = AwayObjects(store, 0.1, lambda _: None)
        async with feeding(broker, objects, index) as fed:
            await soon(fed.feeder._listening.is_set, "the feeder listens")
            await asyncio.sleep(0.2)  # caught up
            objects.away = True
            for number in range(5):
                await store_and_ring(mine, bell, field_result(number, ["ALL"]))
            await soon(lambda: len(fed.feeder._hand) == 5, "all in hand")
            assert held(index) == 0
            objects.away = False
            await soon(lambda: held(index) == 5, "all")
            await soon(lambda: len(fed.feeder._hand) == 0, "acknowledged")

    run(check())


def test_a_result_that_the_database_cannot_hold_keeps_out_no_other(mosquitto_, index):
    broken = field_result(2, ["ALL"], width=2**70)

    async def check():
        _, objects = memory()
        results = [field_result(1, ["ALL"]), broken, field_result(3, ["ALL"])]
        for result in results:
            await store_reading(reading(result), objects)
        async with feeding(mosquitto_.settings(), objects, index):
            await soon(lambda: held(index) == 2, "the others")

    with capture_logs() as logs:
        run(check())
    said = {line["result"] for line in logs if line["event"] == "result_not_indexed"}
    assert said == {f"home/scope-1/{broken.capture_id}"}


def test_a_chain_that_is_not_sound_stays_out_and_is_logged(mosquitto_, index):
    async def check():
        async with room([["Normal"]]) as here:
            await here.sign()
            key = "reviews/home/s1/000001.json"
            await here.objects.put(key, (await here.objects.get(key)).replace(b"ada", b"eve"))
            async with feeding(mosquitto_.settings(), here.objects, index) as fed:
                await soon(lambda: held(index) == 1, "the field")
                fed.feeder._connection.publish(Publication(*here.told[0]))
                await soon(lambda: len(_named(logs)) >= 2, "named at catching up, and at the bell")
                assert one(index, "home", "s1").state == "open"

    with capture_logs() as logs:
        run(check())
    assert "signature-wrong" in _named(logs)[0]["found"]


def _named(logs):
    return [line for line in logs if line["event"] == "reviews_not_indexed"]


def test_a_broker_that_refuses_the_subscription_is_told_until_it_takes_it(mosquitto_, index):
    async def check():
        async with feeding(mosquitto_.settings(), memory()[1], index) as fed:
            fed.feeder._broker_refused("leukoscope/1/+/results/+", "Not authorized")
            assert fed.troubles[-1] == (
                "subscription: the broker refuses leukoscope/1/+/results/+: Not authorized"
            )
            mosquitto_.kill()
            await soon(lambda: "broker" in fed.troubles[-1], "the broker is away, too")
            mosquitto_.start()
            await soon(lambda: fed.troubles[-1] is None, "all is well")

    run(check())


def test_what_a_broker_dropped_in_silence_is_found_in_time(mosquitto_, index, monkeypatch):
    monkeypatch.setattr(feeder, "_EVERY_S", 0.1)

    async def check():
        _, objects = memory()
        async with feeding(mosquitto_.settings(), objects, index):
            await asyncio.sleep(0.1)
            await store_reading(reading(field_result(1, ["ALL"])), objects)
            await soon(lambda: held(index) == 1, "the field of which no word came")

    run(check())


def test_a_catching_up_that_fails_is_told_and_tried_again(mosquitto_, index, monkeypatch):
    monkeypatch.setattr(feeder, "_AGAIN_S", 0.05)

    class Broken(Objects):
        left = 2

        async def sizes(self, prefix):
            if self.left:
                self.left -= 1
                raise ZeroDivisionError
            return await super().sizes(prefix)

    async def check():
        store, mine = memory()
        await store_reading(reading(field_result(1, ["ALL"])), mine)
        objects = Broken(store, 0.1, lambda _: None)
        async with feeding(mosquitto_.settings(), objects, index) as fed:
            await soon(lambda: held(index) == 1, "the field")
            await soon(lambda: fed.troubles[-1] is None, "all is well")
            assert "catching up: failed (ZeroDivisionError): see the log" in fed.troubles

    run(check())


def test_without_a_broker_it_catches_up_all_the_same(index, monkeypatch):
    monkeypatch.setattr(feeder, "_FIRST_S", 0.1)

    async def check():
        _, objects = memory()
        await store_reading(reading(field_result(1, ["ALL"])), objects)
        fed = Fed(BrokerSettings(port=free_port()), objects, index)
        keeping = asyncio.ensure_future(fed.feeder.keep())
        await soon(lambda: held(index) == 1, "the field")
        assert "broker" in fed.troubles[-1]
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    run(check())
