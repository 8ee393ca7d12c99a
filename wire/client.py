"""A paho client made from settings: protocol, credentials, TLS."""

from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from wire.broker import BrokerSettings

QOS: Final = 1
"""Every message: at least once; receipts and conditional creates make it exactly once."""


class ConnectionSetupError(ValueError):
    """The connection's settings cannot work; the message names the setting."""


def new_client(
    settings: BrokerSettings, client_id: str, *, manual_ack: bool, persistent: bool
) -> paho.Client:
    """A client with credentials and encryption, not yet connected.

    Raises:
        ConnectionSetupError: the TLS files cannot be used.
    """
    five = settings.protocol == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if five else not persistent,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        manual_ack=manual_ack,
    )
    client.max_inflight_messages_set(settings.max_inflight)
    if settings.username is not None:
        password = settings.password.get_secret_value() if settings.password else None
        client.username_pw_set(settings.username, password)
    if settings.encrypted:
        _encrypt(client, settings)
    return client


def _encrypt(client: paho.Client, settings: BrokerSettings) -> None:
    files = (settings.ca_file, settings.cert_file, settings.key_file)
    for file in files:
        if file is not None and not file.is_file():
            raise ConnectionSetupError(f"no file {file}: check ca_file, cert_file and key_file")
    try:
        ca_file, cert_file, key_file = (str(file) if file else None for file in files)
        # A password, though an empty one: without it OpenSSL asks on the terminal of a service.
        client.tls_set(ca_file, cert_file, key_file, keyfile_password="")
    except (OSError, ValueError) as error:  # among the OSErrors, ssl.SSLError
        raise ConnectionSetupError(
            f"the TLS files cannot be used ({error}): check that ca_file, cert_file and key_file "
            "are PEM, readable by this user, belong together, and that the key has no password"
        ) from error


def connect_properties(session_expiry_s: int, receive_maximum: int) -> Properties:
    """What an MQTT 5 connect asks for: seconds to keep the session, messages in flight."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own gap
    properties.SessionExpiryInterval = session_expiry_s
    properties.ReceiveMaximum = receive_maximum
    return properties


def subscription(topic_filter: str, settings: BrokerSettings) -> Any:  # noqa: ANN401  # paho takes either kind
    """A topic filter as paho wants it for the protocol."""
    if settings.protocol == "5":
        return (topic_filter, SubscribeOptions(qos=QOS))
    return (topic_filter, QOS)
