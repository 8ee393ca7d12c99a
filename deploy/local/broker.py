"""The embedded MQTT broker: nats-server (MQTT 3.1.1) with a file store."""

import json
import shutil
import socket
import sys
from pathlib import Path

from deploy.local.children import Child, Children, wait_until
from deploy.local.home import Home
from wire.limits import DEFAULT_MAX_PAYLOAD


def start_broker(home: Home, children: Children) -> Child:
    """Start it and wait until it listens."""
    config = home.broker / "nats.conf"
    home.write_private(config, _config(home))
    child = children.start("broker", [program("nats-server"), "-c", str(config)])
    port = home.ports["mqtt"]
    wait_until(lambda: listens(port), children, "the broker")
    return child


def program(name: str) -> str:
    """Path of a program that a wheel brought, beside this Python's own.

    Raises:
        FileNotFoundError: it is not installed.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"no program {name}: install leukoscope with its extra [local]")
    return found


def listens(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _config(home: Home) -> str:
    """NATS configuration; its format takes JSON strings."""
    quoted = {
        "store": json.dumps(str(home.broker)),
        "user": json.dumps(home.credentials.broker_username),
        "password": json.dumps(home.credentials.broker_password),
    }
    return f"""# written at every start; research use only
server_name: leukoscope
listen: "127.0.0.1:{home.ports["nats"]}"
# An oversized publish would loop for ever in paho: wire.connection checks before publishing too.
max_payload: {2 * DEFAULT_MAX_PAYLOAD}
jetstream {{ store_dir: {quoted["store"]} }}
mqtt {{
  listen: "127.0.0.1:{home.ports["mqtt"]}"
  # What a killed worker had in hand comes again after this, not at its reconnect.
  ack_wait: "5s"
  max_ack_pending: 64
}}
authorization {{ users: [ {{ user: {quoted["user"]}, password: {quoted["password"]} }} ] }}
"""
