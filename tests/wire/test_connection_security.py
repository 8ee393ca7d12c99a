import subprocess
import sys

import pytest
import trustme
from brokers import clients, mosquitto, password_file
from rig import until

from wire.broker import BrokerSettings
from wire.connection import Connection, ConnectionSetupError, Publication

TOPIC = "leukoscope/1/home/scope-1/frames"

# After a failed handshake paho leaves the closing to the garbage collector.
paho_leaves_the_socket = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def client():
    """Makes clients, and stops them all."""
    with clients() as make:
        yield make


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """An authority, its certificates for broker and device, and another authority."""
    folder = tmp_path_factory.mktemp("papers")
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    stranger.cert_pem.write_to_path(folder / "stranger.pem")
    issued = {
        "broker": authority.issue_cert("127.0.0.1", "localhost"),
        "elsewhere": authority.issue_cert("broker.example"),
        "device": authority.issue_cert("scope-1.example", common_name="scope-1"),
        "forged": stranger.issue_cert("scope-1.example", common_name="scope-1"),
    }
    for name, certificate in issued.items():
        certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        certificate.private_key_pem.write_to_path(folder / f"{name}.key")
        (folder / f"{name}.key").chmod(0o600)
    return folder


def tls_lines(papers, name="broker"):
    return (
        f"cafile {papers}/ca.pem",
        f"certfile {papers}/{name}.pem",
        f"keyfile {papers}/{name}.key",
        "require_certificate true",
        "use_identity_as_username true",
    )


@pytest.fixture
def tls_broker(tmp_path, papers):
    """Mosquitto that demands a client certificate and lets a device write to its topics only."""
    rules = tmp_path / "rules"
    rules.write_text("pattern write leukoscope/1/home/%u/#\npattern read leukoscope/1/home/%u/#\n")
    rules.chmod(0o600)
    with mosquitto(tmp_path, *tls_lines(papers), f"acl_file {rules}") as running:
        yield running


def with_papers(papers, name="device", ca="ca"):
    return {
        "ca_file": papers / f"{ca}.pem",
        "cert_file": papers / f"{name}.pem",
        "key_file": papers / f"{name}.key",
    }


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_device_with_its_certificate_connects_and_speaks(tls_broker, papers, client, protocol):
    settings = tls_broker.settings(protocol=protocol, **with_papers(papers))
    one = client(settings, "scope-1", subscriptions=[TOPIC]).listen(TOPIC)
    one.say(TOPIC, b"private")
    until(lambda: one.payloads == [b"private"], 10, "it")


def test_a_device_on_another_device_s_topic_is_refused_and_told(tls_broker, papers, client):
    one = client(tls_broker.settings(**with_papers(papers)), "scope-1").start()
    other = "leukoscope/1/home/scope-2/frames"
    one.connection.publish(Publication(other, b"not mine")).wait_for_publish(10)
    until(lambda: bool(one.refusals), 10, "the refusal")
    assert one.refusals == [(other, "Not authorized")]


def test_without_a_client_certificate_it_is_said_which_settings_to_look_at(
    tls_broker, papers, client
):
    reason = client(tls_broker.settings(ca_file=papers / "ca.pem"), "one").why_not()
    assert "cert_file and key_file" in reason
    assert str(tls_broker.port) in reason


def test_with_a_certificate_of_another_authority_it_is_said_likewise(tls_broker, papers, client):
    reason = client(tls_broker.settings(**with_papers(papers, "forged")), "one").why_not()
    assert "cert_file and key_file" in reason


@paho_leaves_the_socket
def test_a_broker_of_another_authority_is_not_trusted(tls_broker, papers, client):
    settings = tls_broker.settings(**with_papers(papers, ca="stranger"))
    reason = client(settings, "one").why_not()
    assert "certificate verify failed" in reason
    assert "ca_file" in reason


@paho_leaves_the_socket
def test_a_broker_with_a_certificate_for_another_host_is_not_trusted(tmp_path, papers, client):
    with mosquitto(tmp_path, *tls_lines(papers, "elsewhere")) as broker:
        reason = client(broker.settings(**with_papers(papers)), "one").why_not()
    assert "certificate is not valid for '127.0.0.1'" in reason
    assert "is for 127.0.0.1" in reason


def test_without_tls_at_a_broker_that_asks_for_it_that_is_said(tls_broker, client):
    assert "asks for TLS" in client(tls_broker.settings(), "one").why_not()


@pytest.mark.parametrize("missing", ["ca_file", "cert_file", "key_file"])
def test_a_missing_file_is_named(papers, missing):
    settings = BrokerSettings(**(with_papers(papers) | {missing: papers / "absent.pem"}))
    with pytest.raises(ConnectionSetupError, match=r"no file .*/absent\.pem: check .*" + missing):
        Connection(settings, "one")


def test_files_that_are_no_certificate_or_do_not_belong_together_are_refused(papers, tmp_path):
    (tmp_path / "garbage.pem").write_text("garbage")
    wrong = (
        {"ca_file": tmp_path / "garbage.pem"},
        {"cert_file": tmp_path / "garbage.pem"},
        {"key_file": papers / "broker.key"},
    )
    for changes in wrong:
        settings = BrokerSettings(**(with_papers(papers) | changes))
        with pytest.raises(ConnectionSetupError, match="ca_file, cert_file and key_file"):
            Connection(settings, "one")


LOCKED_KEY = """
import sys
from pathlib import Path
from wire.broker import BrokerSettings
from wire.connection import Connection, ConnectionSetupError
cert, key = map(Path, sys.argv[1:])
try:
    Connection(BrokerSettings(cert_file=cert, key_file=key), "one")
except ConnectionSetupError as error:
    print(error)
"""


def test_a_key_with_a_password_is_refused_instead_of_asking_on_a_terminal(papers, tmp_path):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((papers / "device.key").read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a password"),
        )
    )
    command = [sys.executable, "-c", LOCKED_KEY, str(papers / "device.pem"), str(locked)]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True
    )
    assert "the key has no password" in ended.stdout


def test_a_wrong_password_is_told_as_a_refusal_while_it_keeps_trying(tmp_path, client):
    right, wrong = "right", "wrong"
    file = password_file(tmp_path, "scope-1", right)
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {file}") as broker:
        for protocol in ("5", "3.1.1"):
            common = {"username": "scope-1", "protocol": protocol}
            barred = client(broker.settings(password=wrong, **common), "barred")
            assert barred.why_not() == "broker refused the connection: Not authorized"
            until(lambda one=barred: len(one.states) > 2, 10, "it keeps trying")
            assert len(set(barred.states)) == 1
            client(broker.settings(password=right, **common), "admitted").start()


def test_a_publish_that_the_access_list_denies_is_told_with_its_topic(tmp_path, client):
    rules = tmp_path / "rules"
    rules.write_text("topic read #\ntopic write allowed/#\n")
    rules.chmod(0o600)
    with mosquitto(tmp_path, f"acl_file {rules}") as broker:
        one = client(broker.settings(), "one").start()
        one.connection.publish(Publication("allowed/topic", b"1")).wait_for_publish(10)
        one.connection.publish(Publication(TOPIC, b"2")).wait_for_publish(10)
        until(lambda: bool(one.refusals), 10, "the refusal")
        assert one.refusals == [(TOPIC, "Not authorized")]
        assert one.connection.connected
