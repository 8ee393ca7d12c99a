"""A PostgreSQL server for the tests, where one is installed."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from brokers import free_port
from rig import until

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def postgres_server():
    """URL of a server of our own; skips without one, and fails without one in CI."""
    where = shutil.which("initdb") or next((str(f / "initdb") for f in _FOLDERS), None)
    if where is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have PostgreSQL")
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    programs, port = Path(where).resolve().parent, free_port()
    # Not in pytest's own folder, which no other user may enter.
    with tempfile.TemporaryDirectory(prefix="leukoscope-postgres-") as folder:
        as_whom = _unprivileged(folder)
        run = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}}
        subprocess.run(
            [*as_whom, programs / "initdb", "-D", "data", "-U", "test", "--auth=trust", "-N"],
            check=True, capture_output=True, **run,
        )  # fmt: skip
        with (Path(folder) / "log").open("w") as log:
            where_it_listens = ["-h", "127.0.0.1", "-p", str(port), "-k", "", "-F"]
            server = subprocess.Popen(
                [*as_whom, programs / "postgres", "-D", "data", *where_it_listens],
                stdout=log, stderr=log, **run,
            )  # fmt: skip
        url = f"postgresql+psycopg://test@127.0.0.1:{port}"
        try:
            until(lambda: _answers(f"{url}/postgres"), 60, "PostgreSQL answers")
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nobody reads it again
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(url: str) -> bool:
    engine = sa.create_engine(url)
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        return False
    finally:
        engine.dispose()
    return True


def _unprivileged(folder: str) -> list[str]:
    """PostgreSQL refuses to run as root, which a container's tests often are."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "nobody")
    return ["setpriv", "--reuid=nobody", "--clear-groups"]
