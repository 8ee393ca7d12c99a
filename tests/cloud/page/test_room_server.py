"""How the room is served: where it listens, over what, and how it ends."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import httpx
import pytest
import trustme
from pydantic import ValidationError
from reading_desk import run
from reading_room import open_app, room_settings, served_room
from structlog.testing import capture_logs

from cloud.page.opening import open_room
from cloud.page.settings import PageSettings
from cloud.reviews.signing import ReviewKeyError, new_key
from wire.web.problem import PageError


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with served_room(tmp_path_factory.mktemp("room"), stages=False) as room:
        yield room


def test_the_room_listens_on_this_machine_alone_unless_told_otherwise():
    assert PageSettings().host == "127.0.0.1"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.7.7", "::", "room.lab.example"])  # noqa: S104  # refused
def test_another_address_without_tls_is_refused_and_told_why(host):
    with pytest.raises(ValidationError, match="set cert_file and key_file, or trusted_proxy"):
        PageSettings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_s_own_addresses_need_no_tls(host):
    assert not PageSettings(host=host).for_others


def test_a_taken_port_is_a_sentence_that_says_what_to_set(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(PageError, match=rf"port {port} .*set page.host and page.port"),
            served_room(tmp_path, stages=False, page={"port": port}),
        ):
            pass


def test_over_tls_the_cookie_stays_under_tls(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    pair = {"cert_file": tmp_path / "page.pem", "key_file": tmp_path / "page.key"}
    certificate.cert_chain_pems[0].write_to_path(pair["cert_file"])
    certificate.private_key_pem.write_to_path(pair["key_file"])
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with served_room(tmp_path, stages=False, page=pair) as served:
        assert served.address.startswith("https://")
        answer = httpx.get(f"{served.address}/login", verify=trust)
        assert answer.headers["set-cookie"].startswith("__Host-leukoscope-room=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        with pytest.raises(httpx.HTTPError):
            httpx.get(served.address.replace("https", "http"))


def test_without_tls_of_its_own_it_promises_none(served):
    answer = httpx.get(f"{served.address}/login")
    assert "strict-transport-security" not in answer.headers


def test_when_the_room_closes_streams_end_and_a_running_request_is_let_end(tmp_path):
    told, asked, streamed, answers = threading.Event(), threading.Event(), [], []

    with served_room(tmp_path, stages=False) as served:
        cookie = served.cookie()
        http = httpx.Client(
            base_url=served.address, cookies={cookie["name"]: cookie["value"]}, timeout=30
        )
        note = served.room.audit.note

        def slowly(*what, **more):
            asked.set()
            time.sleep(1.0)
            note(*what, **more)

        def follow():
            with http.stream("GET", "/live/worklist") as stream:
                for line in stream.iter_lines():
                    streamed.append(line)
                    told.set()

        def look():
            answers.append(http.get("/"))

        works = [threading.Thread(target=work) for work in (follow, look)]
        works[0].start()
        assert told.wait(20)
        served.room.audit.note = slowly
        works[1].start()
        assert asked.wait(20)
    for work in works:
        work.join(20)
        assert not work.is_alive()
    assert "retry: 2000" in streamed
    assert [answer.status_code for answer in answers] == [200]
    http.close()


def test_health_says_which_part_is_in_trouble_to_whoever_asks(tmp_path):
    async def ask():
        async with open_app(tmp_path, None) as (room, client):
            assert (await client.get("/healthz")).json() == {"ok": True, "troubles": []}
            room.health.set("broker", "connection refused by broker.lab.example")
            answer = await client.get("/healthz")
            assert answer.status_code == 503
            assert answer.json() == {"ok": False, "troubles": ["broker"]}
            assert "lab.example" not in answer.text
            room.index.engine.dispose()
            (tmp_path / "index.sqlite").rename(tmp_path / "away")
            (tmp_path / "index.sqlite").mkdir()
            answer = await client.get("/healthz")
            assert answer.json()["troubles"] == ["broker", "index"]
            assert room.health.troubles()["index"] == "OperationalError"

    run(ask())


def test_a_database_that_is_away_is_a_sentence_and_no_traceback(tmp_path):
    async def ask():
        async with open_app(tmp_path) as (room, client):
            room.index.engine.dispose()
            (tmp_path / "index.sqlite").rename(tmp_path / "away")
            (tmp_path / "index.sqlite").mkdir()
            with capture_logs() as logs:
                answer = await client.get("/api/worklist")
                page = await client.get("/")
            assert answer.status_code == 503
            assert answer.json()["reason"] == "database-away"
            assert [log["event"] for log in logs] == ["database_away"] * 2
            assert "database does not answer" in page.text
            assert "Traceback" not in page.text

    run(ask())


def settings_file(folder):
    """Of a room whose broker and store are nowhere."""
    new_key(folder / "review.key")
    lines = [
        f'review_key = "{folder / "review.key"}"',
        f'index_url = "sqlite:///{folder / "index.sqlite"}"',
        f'accounts_url = "sqlite:///{folder / "accounts.sqlite"}"',
        "picture_cache_mb = 0",
        "[broker]\nport = 9",
        '[store]\nendpoint = "http://127.0.0.1:9"\naccess_key_id = "x"\nsecret_access_key = "y"',
        "[page]\nport = 0",
    ]
    file = folder / "cloud.toml"
    file.write_text("\n".join(lines))
    return file


def test_the_command_serves_without_broker_and_store_and_ends_when_told(tmp_path):
    command = [sys.executable, "-m", "cloud", "review", "--config", settings_file(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as room:
        said = room.stdout.readline().decode()
        address = said.rpartition(" ")[2].strip()
        assert said.startswith("The reading room is open: http://127.0.0.1:")
        assert "Sign in" in httpx.get(f"{address}/login").text
        troubles = httpx.get(f"{address}/healthz").json()["troubles"]
        assert {"broker", "store"} <= set(troubles)
        room.send_signal(signal.SIGTERM)
        errors = room.communicate(timeout=30)[1].decode()
        assert room.returncode == 0, errors
    events = [json.loads(line)["event"] for line in errors.splitlines()]
    assert events[-1] == "room_closed" or "room_closed" in events


def test_without_a_review_key_it_says_how_to_make_one(tmp_path):
    async def come():
        settings = room_settings(
            index_url=f"sqlite:///{tmp_path / 'index.sqlite'}",
            accounts_url=f"sqlite:///{tmp_path / 'accounts.sqlite'}",
        )
        async with open_room(settings):
            pass

    with pytest.raises(ReviewKeyError, match="leukoscope-cloud review-key FILE"):
        run(come())


def test_the_command_line_answers_without_loading_the_web_server():
    program = (
        "import sys, cloud.cli; print({'fastapi', 'uvicorn', 'sqlalchemy'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "set()"
