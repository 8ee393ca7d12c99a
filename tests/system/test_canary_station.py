"""A name and a number, put into everything the station takes in, come out of it nowhere.

There is no file that maps tokens to numbers: the token is a hash with the station's own key.
"""

import hashlib
import hmac
import io
import re
import threading
from contextlib import contextmanager

import cv2
import httpx
import numpy as np
import pytest
import segno
from canary import ACCESSION, NAME, NUMBER, SCANNED, canaries_in, canaries_under
from cloud_end import CloudEnd
from edge_program import edge, settings_file, start_edge
from page_end import Browser
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from rig import MOSQUITTO, Rig, until

from edge.cameras.simulator import SimulatorCamera
from edge.commands.names import NAMES

pytestmark = pytest.mark.system


@pytest.fixture
def rig(tmp_path):
    opened = Rig(tmp_path / "home", "mosquitto" if MOSQUITTO else "embedded")
    yield opened
    opened.close()


@pytest.fixture
def images(tmp_path):
    """A folder to replay: a label with a barcode, good fields, a broken file; all of them named."""
    folder = tmp_path / "inputs" / f"slides of {NAME}"
    folder.mkdir(parents=True)
    label = io.BytesIO()
    segno.make_qr(SCANNED).save(label, kind="png", scale=12, border=8)
    picture = cv2.imdecode(np.frombuffer(label.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(str(folder / f"1 label {NAME}.png"), picture)
    camera = SimulatorCamera(7, "ALL")
    for number in (2, 4):
        field = Pillow.fromarray(camera.capture().image)
        words = field.getexif()
        words[0x010E], words[0x013B] = f"{NAME} {NUMBER}", NAME  # ImageDescription, Artist
        jpeg = folder / f"{number} {NAME}.jpg"
        field.save(jpeg, quality=95, exif=words, comment=f"{NAME} {NUMBER}".encode())
        assert canaries_in(jpeg.read_bytes())
    chunks = PngInfo()
    chunks.add_text("Patient", f"{NAME} {NUMBER}")
    Pillow.fromarray(camera.capture().image).save(folder / f"5 {NAME}.png", pnginfo=chunks)
    (folder / f"3 {NAME}.jpg").write_bytes(b"broken " + NAME.encode())
    return folder


@contextmanager
def running(tmp_path, config):
    process = start_edge(tmp_path / "run.log", "run", "--config", config)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def watching(address, seen):
    """Read the page's events, as a browser does."""
    with httpx.Client(base_url=address, timeout=120) as http:
        http.get("/")

        def read():
            try:
                with http.stream("GET", "/events") as stream:
                    for piece in stream.iter_bytes():
                        seen.append(piece)
            except (httpx.HTTPError, httpx.StreamError, RuntimeError):
                return  # the page or this test has ended

        threading.Thread(target=read, daemon=True).start()
        yield


def test_a_name_and_a_number_put_into_every_input_come_out_nowhere(rig, images, tmp_path):
    settings = rig.edge_settings(
        camera=f"folder:{images}",
        allow_commands=NAMES,
        burst=1,
        page={"port": 0},
        status_every_s=0.5,
    )
    config = str(settings_file(tmp_path, settings))
    said, seen = [], []
    listener = CloudEnd(settings.broker).start()
    with running(tmp_path, config), watching_page(tmp_path / "run.log", seen) as browser:
        through_the_page(browser, said)
        token = token_of(settings, ACCESSION)
        from_afar(listener, token)
        on_the_command_line(config, settings, tmp_path, token, said)
        said.append(browser.http.get("/").content)
        said.append(browser.http.get("/api/state").content)
        until(lambda: len(listener.statuses) > 2, 10, "statuses")
        until(lambda: rig.keys("results/") != [], 60, "a result")
    until(lambda: listener.statuses[-1].state == "offline", 20, "the goodbye")
    listener.connection.stop()
    objects = {key: rig.read(key) for key in rig.keys("")}

    # It was a day like any other …
    assert len([key for key in objects if key.startswith("frames/")]) >= 2
    assert any(frame.slide == token for frame in listener.frames)
    assert token_of(settings, SCANNED).encode() in b"".join(said)
    assert canaries_under(tmp_path / "inputs")  # what is sought can be found

    # … and nothing of it is anywhere. The commands are those that this test has planted itself.
    heard = [one for one in listener.heard if not one.topic.endswith("/commands")]
    assert [one for one in heard if canaries_in(one.payload) + canaries_in(one.topic)] == []
    assert [key for key, data in objects.items() if canaries_in(data) + canaries_in(key)] == []
    assert [answer for answer in (*said, b"".join(seen)) if canaries_in(answer)] == []
    # Settings name the folder, and the broker's own files may hold the commands that were planted.
    planted = (tmp_path / "inputs", tmp_path / "edge.toml", rig.home.broker)
    assert canaries_under(tmp_path, but=planted) == []


@contextmanager
def watching_page(log, seen):
    until(lambda: '"page_open"' in log.read_text(), 90, "the page")
    address = re.search(r'"address": "([^"]+)"', log.read_text())[1]
    browser = Browser(address)
    browser.open()
    with watching(address, seen):
        yield browser
    browser.close()


def through_the_page(browser, said):
    """Form, scanner, barcode in the preview, buttons, and requests that nobody should send."""

    def press(path, **form):
        answer = browser.press(path, **form)
        said.append(answer.content)
        said.append(str(answer.headers).encode())
        said.append(browser.http.get("/api/state").content)
        return answer

    assert press("/barcode").is_success  # the label is in view
    assert not press("/capture").is_success  # and is no field
    assert press("/slide/start", accession=ACCESSION).is_success
    assert press("/slide/start", accession=f"  {ACCESSION}\r\n").is_success  # a scanner's ending
    assert press("/capture").is_success
    assert not press("/capture").is_success  # the broken file
    assert not press("/slide/start", accession=ACCESSION * 20).is_success
    assert not press("/slide/start", number=ACCESSION).is_success
    assert not press("/capture", count=NAME).is_success
    assert not press(f"/slide/{NAME}").is_success
    for path in (f"/slide/start?accession={ACCESSION}", f"/frame/{NAME}.jpg", f"/{NUMBER}"):
        assert not browser.http.get(path).is_success
    forged = browser.press("/slide/start", {"X-CSRF-Token": NAME}, accession=ACCESSION)
    assert not forged.is_success
    said.append(forged.content)


def from_afar(listener, token):
    """Orders with a name where a token belongs, and one that is right."""
    orders = [
        ("start-slide", {"slide": NUMBER}),
        ("capture", {"slide": ACCESSION}),
        ("capture", {"name": NAME}),
        ("burst", {"count": NAME}),
        (NAME, {}),
        ("capture", {"slide": token}),
    ]
    for number, (command, arguments) in enumerate(orders):
        listener.command(command, f"c-{number}", **arguments)
    listener.say("leukoscope/1/home/scope-1/commands", f'{{"command": "{NAME}"}}'.encode())
    until(lambda: len(listener.replies) == len(orders), 30, "all replies")
    by_id = {reply.correlation_id: reply.ok for reply in listener.replies}
    assert [by_id[f"c-{number}"] for number in range(len(orders))] == [False] * 5 + [True]


def on_the_command_line(config, settings, tmp_path, token, said):
    """Every command that takes a number, and those that show what the station holds."""
    order = ["command", settings.device, "capture", "--slide"]
    for arguments, codes in (
        (["capture", "--slide", ACCESSION, "--count", "3", "--wait", "5"], {3}),  # the label
        (["capture", "--slide", ACCESSION, "--json", "--wait", "0"], {3}),
        ([*order, ACCESSION], {2}),
        ([*order, token], {0}),
        (["spool", "status"], {0}),
        (["spool", "export", str(tmp_path / "stick")], {0}),
        (["doctor"], {0, 1}),
    ):
        ended = edge(*arguments, "--config", config)
        assert ended.returncode in codes, (arguments, ended.stdout, ended.stderr)
        assert "Traceback" not in ended.stderr
        said += [ended.stdout.encode(), ended.stderr.encode()]


def token_of(settings, accession):
    """The token as the station makes it, with its key."""
    key = settings.slide_key_file.read_bytes()
    return "s" + hmac.new(key, accession.encode(), hashlib.sha256).hexdigest()[:20]
