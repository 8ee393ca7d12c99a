"""Bad days at the station: capture goes on, what is wrong is told, and nothing is lost."""

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from brokers import mosquitto
from cloud_end import DEVICE, SITE, CloudEnd
from rig import until
from small_disk import tmpfs
from wrong_clock import set_clock

from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.station import open_station
from wire import topics

pytestmark = pytest.mark.system

ACCESSION = "24-001234"
FRAMES = topics.device(SITE, DEVICE, "frames")


@pytest.fixture
def broker(tmp_path):
    with mosquitto(tmp_path / "broker") as running:
        yield running


@contextmanager
def cloud_at(broker, **changes):
    """The cloud's end, listening."""
    end = CloudEnd(broker.settings(**changes)).listen(FRAMES)
    try:
        yield end
    finally:
        end.connection.stop()


@contextmanager
def station_at(broker, folder, *, changes=None, **broker_changes):
    """A station with an open slide."""
    values = {
        "site": SITE,
        "device": DEVICE,
        "camera": "simulator:7:ALL",
        "data_dir": folder,
        "broker": broker.settings(**broker_changes),
        "min_free_mb": 0,
        "burst": 1,
        "resend_after_s": 2.0,
        "status_every_s": 0.5,
    }
    with open_station(EdgeSettings(**(values | (changes or {})))) as station:
        station.desk.start_slide(ACCESSION, "page")
        yield station


def capture(station, count=1):
    """Press; the capture ids, each of which showed *saved*."""
    lines = [station.desk.capture("page") for _ in range(count)]
    assert all(line.saved for line in lines)
    return [line.capture_id for line in lines]


def codes(station):
    return {trouble.code for trouble in station.desk.state.troubles}


def stored(station, cloud, captures):
    """Everything that showed saved arrives, is receipted, and shows stored."""
    until(lambda: {one.capture_id for one in cloud.frames} == set(captures), 30, "all arrive")
    cloud.receipt_all()
    until(lambda: station.spool.status().waiting == 0, 30, "all are let go")
    until(lambda: all(line.stored for line in station.desk.state.lines), 10, "it shows")


# --- the broker ---


def test_the_broker_is_away_captures_go_on_and_the_page_says_so(broker, tmp_path, request):
    away_s = 600 if request.config.getoption("--full") else 3
    with cloud_at(broker) as cloud, station_at(broker, tmp_path / "station") as station:
        until(lambda: station.desk.state.broker, 10, "the broker")
        before = capture(station)
        broker.kill()
        until(lambda: not station.desk.state.broker, 20, "it is missed")
        gone = time.monotonic()
        meanwhile = capture(station, 2)
        until(lambda: "check host and port" in station.desk.state.broker_problem, 20, "why")
        assert "broker-away" in codes(station)
        time.sleep(max(0.0, away_s - (time.monotonic() - gone)))
        meanwhile += capture(station)
        assert station.spool.status().waiting >= 3
        broker.start()
        until(lambda: cloud.connection.connected, 60, "the cloud is back")
        until(lambda: station.desk.state.broker, 60, "the station is back")
        assert station.desk.state.broker_problem == ""
        stored(station, cloud, before + meanwhile)
        assert "broker-away" not in codes(station)


# --- the clock ---


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (timedelta(days=-20_000), "which cannot be"),
        (timedelta(days=3 * 365), "3 years ahead of the cloud's"),
        (timedelta(days=50 * 365), "which cannot be"),
    ],
    ids=["long ago", "three years on", "half a century on"],
)
def test_the_clock_is_wrong_by_years_captures_go_on_and_the_page_says_so(
    broker, tmp_path, monkeypatch, by, says
):
    with cloud_at(broker) as cloud:
        set_clock(monkeypatch, by)
        with station_at(broker, tmp_path / "station") as station:
            taken = capture(station, 2)
            stored(station, cloud, taken)
            until(lambda: says in station.desk.state.clock_problem, 10, "it is said")
            assert "clock-wrong" in codes(station)
            until(lambda: "clock" in cloud.statuses[-1].trouble, 10, "the status says it")
            shift = cloud.frames[0].captured_at - datetime.now(UTC)
            assert abs(shift - by) < timedelta(minutes=1)  # the clock was wrong indeed
            taken += capture(station)
            stored(station, cloud, taken)
        with station_at(broker, tmp_path / "station") as station:  # and after a restart
            assert station.spool.status().waiting == 0
            stored(station, cloud, taken + capture(station))


# --- the certificate ---


@pytest.fixture
def papers(tmp_path):
    """Certificates of an authority: for broker and cloud, and one of the station that ended."""
    folder = tmp_path / "papers"
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")

    def issue(name, host, **options):
        certificate = authority.issue_cert(host, common_name=name, **options)
        certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        certificate.private_key_pem.write_to_path(folder / f"{name}.key")
        (folder / f"{name}.key").chmod(0o600)

    issue("broker", "127.0.0.1")
    issue("cloud", "cloud.example")
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    issue(DEVICE, "scope.example", not_before=long_ago, not_after=long_ago + timedelta(days=365))
    return folder, lambda: issue(DEVICE, "scope.example")


def with_papers(folder, name):
    return {
        "ca_file": folder / "ca.pem",
        "cert_file": folder / f"{name}.pem",
        "key_file": folder / f"{name}.key",
    }


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho leaves a failed handshake so
def test_the_certificate_has_expired_captures_go_on_and_a_new_one_sends_them(tmp_path, papers):
    folder, renew = papers
    lines = [
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/broker.pem",
        f"keyfile {folder}/broker.key",
        "require_certificate true",
    ]
    ours = with_papers(folder, DEVICE)
    with (
        mosquitto(tmp_path / "broker", *lines) as broker,
        cloud_at(broker, **with_papers(folder, "cloud")) as cloud,
    ):
        with station_at(broker, tmp_path / "station", **ours) as station:
            taken = capture(station, 2)
            until(lambda: station.desk.state.certificate_problem != "", 10, "it is said")
            state = station.desk.state
            assert "expired on 2020-12-31" in state.certificate_problem
            until(lambda: {"certificate-expired", "broker-away"} <= codes(station), 10, "codes")
            assert not station.desk.state.broker
            taken += capture(station)
            assert station.spool.status().waiting == 3
        assert cloud.frames == []
        renew()
        with station_at(broker, tmp_path / "station", **ours) as station:
            stored(station, cloud, taken)
            assert station.desk.state.certificate_problem == ""


# --- the disk ---


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own: the spool's ballast of 8 MB, and little more."""
    with tmpfs(tmp_path / "disk", megabytes=9) as folder:
        yield folder


def test_a_full_disk_refuses_the_next_capture_and_loses_none(broker, small_disk):
    broker.kill()  # nobody empties the spool
    with station_at(broker, small_disk / "station") as station:
        taken, refusal = fill(station)
        assert refusal.reason == "disk-full"
        assert "What was saved before is safe" in refusal.sentence
        assert refusal.remedy
        assert station.desk.state.refusal.code == "disk-full"
        assert len(taken) >= 2
        assert station.spool.status().waiting == len(taken)
        with pytest.raises(CaptureRefused, match="disk is full"):
            station.desk.capture("page")
    with station_at(broker, small_disk / "station") as station:  # pulled and plugged
        assert station.spool.status().waiting == len(taken)
        broker.start()
        with cloud_at(broker) as cloud:
            until(lambda: station.desk.state.broker, 30, "the broker")
            stored(station, cloud, taken)
            taken += capture(station, 2)  # there is room again
            stored(station, cloud, taken)


def fill(station):
    """Capture until one is refused."""
    taken = []
    for _ in range(200):
        try:
            taken += capture(station)
        except CaptureRefused as refusal:
            return taken, refusal
    raise AssertionError("the disk does not fill")
