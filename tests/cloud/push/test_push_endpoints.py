"""A browser's word is an address that this server will post to: what is believed of it."""

import base64
import os
import socket

import pytest
from push_service import Browser
from pydantic import ValidationError

from cloud.push.endpoints import (
    PrivateAddressError,
    PushRefused,
    Subscription,
    check,
    guarded,
    origin,
)
from cloud.settings import CloudSettings

SERVICES = CloudSettings.model_fields["push_services"].default

REAL = (
    "https://fcm.googleapis.com/fcm/send/c1KrmpTuRm8:APA91bGf_x",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk",
    "https://web.push.apple.com/QGpX",
    "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC",
)


def refused(endpoint, *, private=False, services=SERVICES):
    with pytest.raises(PushRefused) as refusal:
        check(Browser(endpoint).subscription, services, private=private)
    return refusal.value.code


@pytest.mark.parametrize("endpoint", REAL)
def test_the_services_of_the_browsers_in_use_are_taken(endpoint):
    check(Browser(endpoint).subscription, SERVICES, private=False)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/x",
        "ftp://fcm.googleapis.com/x",
        "fcm.googleapis.com/x",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://fcm.googleapis.com@127.0.0.1/x",
        "https://user:password@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:port/x",
        "https://fcm.googleapis.com:99999/x",
        "https://[fcm.googleapis.com/x",
        "https://fcm.googleapis.com\\@127.0.0.1/x",
        "https://fcm.googleapis.com%2f.evil.example/x",
        "https://127.0.0.1:22/x",
    ],
)
def test_what_is_no_plain_https_address_is_refused(endpoint):
    assert refused(endpoint) == "push-endpoint-invalid"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "localhost", "169.254.169.254", "10.0.0.8", "metadata.internal"),
        *("evil.example", "fcm.googleapis.com.evil.example", "xfcm.googleapis.com", "2130706433"),
    ],
)
def test_a_host_that_is_no_push_service_is_refused_and_the_setting_named(host):
    with pytest.raises(PushRefused, match="setting push_services") as refusal:
        check(Browser(f"https://{host}/x").subscription, SERVICES, private=False)
    assert refusal.value.code == "push-service-unknown"


def test_a_site_adds_a_service_of_its_own():
    check(Browser("https://push.lab.example/x").subscription, ("push.lab.example",), private=False)


def test_for_trials_a_port_of_its_own_will_do_but_never_without_tls():
    check(Browser("https://localhost:4433/x").subscription, ("localhost",), private=True)
    assert refused("http://localhost/x", private=True, services=("localhost",)) == (
        "push-endpoint-invalid"
    )


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"p256dh": ""},
        {"p256dh": "no base64!"},
        {"p256dh": unpadded(b"\x04" + bytes(64))},  # not on the curve
        {"p256dh": unpadded(os.urandom(65))},
        {"auth": ""},
        {"auth": unpadded(bytes(15))},
        {"auth": "ä" * 22},
    ],
)
def test_keys_that_nobody_could_decrypt_with_are_refused(changes):
    plain = Browser(REAL[0]).as_json()
    plain["keys"] |= changes
    with pytest.raises(PushRefused) as refusal:
        check(Subscription.model_validate(plain), SERVICES, private=False)
    assert refusal.value.code == "push-keys-invalid"


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"endpoint": REAL[0]},
        {"endpoint": "https://fcm.googleapis.com/" + "x" * 2048, "keys": {}},
        {"endpoint": REAL[0], "keys": {"p256dh": "x", "auth": "y"}, "slide": "s1"},
        {"endpoint": 7, "keys": {"p256dh": "x", "auth": "y"}},
    ],
)
def test_what_is_no_subscription_is_refused_before_it_is_looked_at(plain):
    with pytest.raises(ValidationError):
        Subscription.model_validate(plain)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),  # noqa: S104  # not bound to
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1"),
        *("::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::"),
    ],
)
def test_no_socket_is_made_for_an_address_that_is_not_public(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(PrivateAddressError, match="is not a public address"):
        guarded(private=False)((family, socket.SOCK_STREAM, 6, "", (address, 443)))


@pytest.mark.parametrize("address", ["142.250.74.10", "2a00:1450:4001:80f::200a"])
def test_a_public_address_gets_a_socket(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    guarded(private=False)((family, socket.SOCK_STREAM, 6, "", (address, 443))).close()


def test_all_that_a_log_may_show_of_an_endpoint_is_its_service():
    assert origin(REAL[1]) == "https://updates.push.services.mozilla.com"
