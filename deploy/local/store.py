"""The embedded S3: SeaweedFS `weed mini`, every port on 127.0.0.1."""

import urllib.error
import urllib.request

from deploy.local.broker import program
from deploy.local.children import Child, Children, wait_until
from deploy.local.home import Home


def endpoint(home: Home) -> str:
    """URL of the S3 API."""
    return f"http://127.0.0.1:{home.ports['s3']}"


def start_store(home: Home, children: Children) -> Child:
    """Start it and wait until it answers."""
    keys = home.credentials
    child = children.start(
        "store",
        [program("weed"), "mini", *_flags(home)],
        {
            "AWS_ACCESS_KEY_ID": keys.s3_access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.s3_secret_access_key,
        },
    )
    wait_until(lambda: answers(endpoint(home)), children, "the store")
    return child


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, with whatever status but an error of its own."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own http URL
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _flags(home: Home) -> list[str]:
    ports = home.ports
    return [
        f"-dir={home.store}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-volume.id=local",  # not its port, which may change between runs
        "-volume.preStopSeconds=0",  # nobody else has to learn that it stops
        "-idleTimeout=5",  # it stops only when its own unused connections have ended
        "-admin.ui=false",
        "-webdav=false",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        f"-filer.localSocket={home.store}/filer.sock",
        f"-s3.localSocket={home.store}/s3.sock",
        f"-s3.port={ports['s3']}",
        f"-s3.port.grpc={ports['s3_grpc']}",
        f"-master.port={ports['master']}",
        f"-master.port.grpc={ports['master_grpc']}",
        f"-filer.port={ports['filer']}",
        f"-filer.port.grpc={ports['filer_grpc']}",
        f"-volume.port={ports['volume']}",
        f"-volume.port.grpc={ports['volume_grpc']}",
        f"-admin.port={ports['admin']}",
        f"-admin.port.grpc={ports['admin_grpc']}",
    ]
