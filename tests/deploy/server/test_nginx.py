"""Debian's nginx before the reading room, with the file that the handbook gives."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest
import trustme
from page_end import events
from reading_room import put_field, served_room
from rig import until

from cloud.accounts.audit import Wanted
from cloud.accounts.people import Account
from cloud.live.news import Change
from deploy.local.broker import listens

GIVEN = Path(__file__).resolve().parents[3] / "deploy" / "server" / "nginx-review.conf"
NAME = "review.lab.example"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    page = {"trusted_proxy": "127.0.0.1", "names": (NAME,)}
    with served_room(tmp_path_factory.mktemp("room"), stages=False, page=page) as served:
        yield served


@pytest.fixture(scope="module")
def nginx(room, authority, tmp_path_factory):
    """Its port."""
    if NGINX is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have nginx")
        pytest.skip("nginx is not installed (apt install nginx-light)")
    folder = tmp_path_factory.mktemp("nginx")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [NGINX, "-p", str(folder), "-c", str(configuration(folder, port, room, authority))]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stderr=said)
    try:
        until(lambda: listens(port) or process.poll() is not None, 20, "nginx listens")
        assert process.poll() is None, (folder / "said").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(20)


def configuration(folder, port, room, authority):
    """The given file, with only what a trial has to change: port, certificate, where it keeps."""
    certificate = authority.issue_cert(NAME)
    certificate.cert_chain_pems[0].write_to_path(str(folder / "review.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "review.key"))
    server = GIVEN.read_text()
    for before, after in (
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("/etc/ssl/leukoscope", str(folder)),
        ("http://127.0.0.1:8740", room.address.replace("https", "http")),
    ):
        assert before in server
        server = server.replace(before, after)
    kept = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\n{kept}\n{server}\n}}\n"
    )
    return file


@pytest.fixture
def browser(room, nginx, authority):
    """A browser's end behind nginx, signed in as ada."""
    session = room.room.sessions.enter(next(a for a in accounts(room) if a.name == "ada"))
    cookie = room.room.sessions.cookie(session)
    with httpx.Client(
        base_url=f"https://{NAME}:{nginx}",
        headers={"X-CSRF-Token": room.room.sessions.csrf(session)},
        cookies={"__Host-leukoscope-room": cookie},
        mounts={"https://": Resolved(authority)},
        timeout=20,
    ) as opened:
        yield opened


def accounts(room):
    return [Account(one.name, one.role) for one in room.room.accounts.list()]


class Resolved(httpx.HTTPTransport):
    """Knows where the name is, as a name server would; the certificate is checked all the same."""

    def __init__(self, authority):
        context = ssl.create_default_context()
        authority.configure_trust(context)
        super().__init__(verify=context)

    def handle_request(self, request):
        request.extensions["sni_hostname"] = NAME
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


def test_the_page_comes_over_tls_and_its_pages_need_no_other_name(browser, nginx):
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "Worklist" in answer.text
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_whoever_goes_around_the_proxy_is_refused(room):
    answer = httpx.get(room.address.replace("https", "http") + "/login", headers={"Host": NAME})
    assert answer.status_code == 403
    assert "through its proxy" in answer.text


def test_a_change_is_taken_from_the_pages_own_address_only(browser, nginx):
    ours, theirs = f"https://{NAME}:{nginx}", "https://evil.example"
    assert browser.post("/push/here", headers={"Origin": theirs}, json={}).status_code == 403
    assert browser.post("/push/here", headers={"Origin": ours}, json={}).status_code == 422


def test_what_a_browser_claims_of_its_address_is_not_believed(room, browser):
    browser.get("/", headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"})
    lines = list(room.room.audit.lines(Wanted(who="ada", did="worklist-viewed")))
    assert {line.address for line in lines} == {"127.0.0.1"}


def test_an_event_is_passed_on_when_it_comes_and_not_when_a_buffer_is_full(room, browser):
    came, done = [], threading.Event()

    def read():
        with browser.stream("GET", "/live/slides/home/s-live", timeout=30) as stream:
            for name, _ in events(stream.iter_lines()):
                came.append((name, time.monotonic()))
                if name == "fields":
                    done.set()
                    return

    room.do(put(room))
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    until(lambda: came, 15, "the stream has begun")
    told = time.monotonic()
    room.room.news.tell(Change("home", "s-live", "fields"))
    assert done.wait(15)
    assert came[-1][1] - told < 3  # seconds; a page is told at most once a second
    thread.join(10)


async def put(room):
    await put_field(room.room, 1, ["Normal"], slide="s-live")
