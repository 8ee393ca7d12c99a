"""The doctor on broker, certificates and page: real brokers, real papers."""

import fcntl
import json
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from brokers import free_port, mosquitto, password_file
from rig import until

from deploy.local.broker import listens, program
from edge.doctor import network
from edge.settings import EdgeSettings

# After a failed handshake paho leaves the closing to the garbage collector.
paho_leaves_the_socket = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def settings(folder: Path, **given: object) -> EdgeSettings:
    return EdgeSettings(site="home", device="scope-1", data_dir=folder, **given)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Certificates of one authority: the broker's, and the device's at several ages."""
    folder, now = tmp_path_factory.mktemp("papers"), datetime.now(UTC)
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    stranger.cert_pem.write_to_path(folder / "stranger.pem")
    ends = {
        "device": now + timedelta(days=300),
        "ending": now + timedelta(days=3),
        "ended": now - timedelta(days=1),
    }
    issued = {
        name: authority.issue_cert("scope-1.example", common_name="scope-1", not_after=end)
        for name, end in ends.items()
    }
    issued["other"] = authority.issue_cert("scope-2.example", common_name="scope-2")
    issued["broker"] = authority.issue_cert("127.0.0.1", "localhost")
    for name, certificate in issued.items():
        certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        certificate.private_key_pem.write_to_path(folder / f"{name}.key")
        (folder / f"{name}.key").chmod(0o600)
    return folder


def shown(papers: Path, name: str = "device", ca: str = "ca") -> dict[str, Path]:
    return {
        "ca_file": papers / f"{ca}.pem",
        "cert_file": papers / f"{name}.pem",
        "key_file": papers / f"{name}.key",
    }


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory, papers):
    """Mosquitto that demands a client certificate."""
    lines = (
        f"cafile {papers}/ca.pem",
        f"certfile {papers}/broker.pem",
        f"keyfile {papers}/broker.key",
        "require_certificate true",
    )
    with mosquitto(tmp_path_factory.mktemp("tls"), *lines) as running:
        yield running


def test_a_broker_that_lets_us_in_over_tls_is_well(tmp_path, tls_broker, papers):
    found = network.broker(settings(tmp_path, broker=tls_broker.settings(**shown(papers))))
    assert (found.state, "over TLS" in found.found) == ("ok", True), found


@paho_leaves_the_socket
def test_a_broker_of_another_authority_is_wrong_and_names_the_setting(tmp_path, tls_broker, papers):
    strange = tls_broker.settings(**shown(papers, ca="stranger"))
    found = network.broker(settings(tmp_path, broker=strange))
    assert found.state == "wrong"
    assert "ca_file" in found.found


def test_a_broker_that_asks_for_a_certificate_says_so(tmp_path, tls_broker, papers):
    without = tls_broker.settings(ca_file=papers / "ca.pem")
    found = network.broker(settings(tmp_path, broker=without))
    assert found.state == "wrong"
    assert "cert_file and key_file" in found.found


def test_a_wrong_password_is_wrong_and_a_right_one_well(tmp_path):
    secret = password_file(tmp_path, "scope-1", "right")
    lines = ("allow_anonymous false", f"password_file {secret}")
    with mosquitto(tmp_path, *lines) as running:
        for password, state in (("right", "ok"), ("false", "wrong")):
            known = running.settings(username="scope-1", password=password)
            found = network.broker(settings(tmp_path, broker=known))
            assert found.state == state, found
    assert "refused the connection" in found.found
    assert "false" not in found.found


def test_a_broker_that_is_not_there_is_wrong_and_captures_go_on(tmp_path):
    port = free_port()
    found = network.broker(settings(tmp_path, broker={"port": port}))
    assert found.state == "wrong"
    assert str(port) in found.found
    assert "saved meanwhile" in found.remedy


def test_papers_that_cannot_be_used_are_wrong_before_anybody_is_asked(tmp_path, papers):
    absent = shown(papers) | {"key_file": papers / "absent.key"}
    found = network.broker(settings(tmp_path, broker=absent))
    assert found.state == "wrong"
    assert "absent.key" in found.found


def test_a_broker_that_hides_our_receipts_is_wrong(tmp_path):
    mqtt, config = free_port(), tmp_path / "nats.conf"
    user = {
        "user": "scope-1",
        "password": "right",
        "permissions": {"subscribe": {"deny": ["leukoscope.1.home.scope-1.receipts"]}},
    }
    config.write_text(
        f'server_name: one\nlisten: "127.0.0.1:{free_port()}"\n'
        f"jetstream {{ store_dir: {json.dumps(str(tmp_path / 'store'))} }}\n"
        f'mqtt {{ listen: "127.0.0.1:{mqtt}" }}\n'
        f"authorization {{ users: [ {json.dumps(user)} ] }}\n"
    )
    with (tmp_path / "nats.log").open("ab") as log:
        server = subprocess.Popen([program("nats-server"), "-c", config], stdout=log, stderr=log)
    try:
        until(lambda: listens(mqtt), 20, "nats-server listens")
        known = {"port": mqtt, "protocol": "3.1.1", "username": "scope-1", "password": "right"}
        found = network.broker(settings(tmp_path, broker=known))
    finally:
        server.terminate()
        server.wait(10)
    assert found.state == "wrong", found
    assert "not read its receipts" in found.found
    assert "access list" in found.remedy


@pytest.mark.parametrize(
    ("name", "state", "told"),
    [
        ("device", "ok", "for scope-1, valid until"),
        ("ending", "warning", "expires on"),
        ("ended", "wrong", "expired on"),
        ("other", "warning", "for scope-2"),
    ],
)
def test_a_certificate_says_whose_it_is_and_when_it_ends(tmp_path, papers, name, state, told):
    (found,) = network.certificates(settings(tmp_path, broker=shown(papers, name)))
    assert found.state == state, found
    assert told in found.found


def test_the_page_s_certificate_is_looked_at_too(tmp_path, papers):
    files = shown(papers, "ended")
    del files["ca_file"]
    broker, page = network.certificates(settings(tmp_path, page=files))
    assert broker.state == "ok"
    assert page.state == "wrong"
    assert "for its page expired" in page.found


def test_a_free_port_is_well_and_a_taken_one_wrong(tmp_path):
    port = free_port()
    wanted = settings(tmp_path, page={"port": port})
    assert network.page(wanted).state == "ok"
    with socket.create_server(("127.0.0.1", port)):
        assert network.page(wanted).state == "wrong"
        with (tmp_path / "sender.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert "running agent" in network.page(wanted).found


def test_a_port_that_changes_at_every_start_is_a_warning(tmp_path):
    assert network.page(settings(tmp_path, page={"port": 0})).state == "warning"


def test_a_page_for_others_without_a_password_is_wrong(tmp_path, papers):
    files = shown(papers)
    del files["ca_file"]
    outside = settings(tmp_path, page={"host": "0.0.0.0", "port": free_port(), **files})  # noqa: S104  # the point
    assert "leukoscope-edge page password" in network.page(outside).remedy
    (tmp_path / "page.password").write_text("an argon2 hash\n")
    assert network.page(outside).state == "ok"


def test_an_address_of_another_machine_is_wrong_and_no_page_is_well(tmp_path, papers):
    files = shown(papers)
    del files["ca_file"]
    (tmp_path / "page.password").touch()
    elsewhere = settings(tmp_path, page={"host": "192.0.2.1", **files})
    assert "cannot listen on 192.0.2.1" in network.page(elsewhere).found
    assert network.page(settings(tmp_path, page={"enabled": False})).state == "ok"
