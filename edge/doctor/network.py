"""What the station reaches and what reaches it: broker, certificates, page."""

import errno
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge.certificate import certificate_trouble
from edge.doctor.attached import agent_runs
from edge.doctor.finding import Finding, ok, warning, wrong
from edge.settings import EdgeSettings
from wire import topics
from wire.connection import Callbacks, Connection, ConnectionSetupError

_WAIT_S: Final = 10.0
_ANSWER_S: Final = 1.0
"""How long the broker may think about a subscription."""
_LOOPBACK: Final = ("127.", "localhost", "::1")


class _Said:
    """What the broker said last, and whether it refused what was asked of it."""

    def __init__(self) -> None:
        self.reason = ""
        self.denied = threading.Event()
        self.heard = threading.Event()

    def state(self, connected: bool, reason: str) -> None:  # Callbacks.state's signature
        self.reason = "" if connected else reason
        self.heard.set()

    def refused(self, topic: str, reason: str) -> None:
        self.reason = f"{reason} ({topic})"
        self.denied.set()


def broker(settings: EdgeSettings) -> Finding:
    """Whether it answers, over TLS where that is set, lets us in, and lets us read our receipts.

    The client id is the agent's with `-doctor` after it, so that a running agent is not cut off.
    """
    where, said = f"{settings.broker.host}:{settings.broker.port}", _Said()
    try:
        connection = Connection(
            settings.broker,
            f"leukoscope-{settings.site}-{settings.device}-doctor",
            subscriptions=[topics.device(settings.site, settings.device, "receipts")],
            callbacks=Callbacks(state=said.state, refused=said.refused),
            persistent=False,
        )
    except ConnectionSetupError as error:
        return wrong("broker", str(error), "Correct [broker] in the settings.")
    connection.start()
    try:
        said.heard.wait(_WAIT_S)
        if not connection.connected:
            found = said.reason or f"{where} does not answer within {_WAIT_S:g} s"
            return wrong("broker", found, "Captures are saved meanwhile and sent when it is back.")
        if said.denied.wait(_ANSWER_S):
            return wrong(
                "broker",
                f"{where} lets this station in, but not read its receipts: {said.reason}",
                "Let its access list allow what docs/messages.md lists for a device.",
            )
    finally:
        connection.stop()
    return _let_in(settings, where)


def _let_in(settings: EdgeSettings, where: str) -> Finding:
    if settings.broker.encrypted or settings.broker.host.startswith(_LOOPBACK):
        how = "over TLS" if settings.broker.encrypted else "on this machine"
        return ok("broker", f"{where} lets this station in, {how}")
    return warning(
        "broker",
        f"{where} lets this station in, but nothing on the way is encrypted",
        "Set tls or ca_file under [broker], and the broker's TLS port.",
    )


def certificates(settings: EdgeSettings) -> list[Finding]:
    """When the station's certificates end, and whose they are."""
    found = []
    if settings.broker.cert_file is None:
        found.append(ok("certificate", "none for the broker in the settings"))
    else:
        found.append(
            _dated("certificate", settings.broker.cert_file)
            or _named(settings.broker.cert_file, settings.device)
        )
    if settings.page.cert_file is not None:
        page = settings.page.cert_file
        found.append(
            _dated("page's certificate", page)
            or ok("page's certificate", f"valid until {_ends(page):%Y-%m-%d}")
        )
    return found


def _dated(check: str, file: Path) -> Finding | None:
    trouble = certificate_trouble(file, datetime.now(UTC))
    if trouble is None:
        return None
    state = warning if trouble.code == "certificate-expiring" else wrong
    sentence = trouble.sentence
    if check != "certificate":  # the sentence speaks of the broker's
        sentence = sentence.replace("for the broker", "for its page")
    return state(check, f"{sentence} ({file})", trouble.remedy)


def _named(file: Path, device: str) -> Finding:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    names = [
        str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    found = f"for {' '.join(names) or 'nobody'}, valid until {_ends(file):%Y-%m-%d}"
    if device not in names:
        return warning(
            "certificate",
            found,
            f"The device is called {device}, and brokers let a device use the topics of its "
            "certificate's common name only: make them the same.",
        )
    return ok("certificate", found)


def _ends(file: Path) -> datetime:
    from cryptography import x509

    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc


def page(settings: EdgeSettings) -> Finding:
    """Whether the page can be served where the settings want it."""
    at = f"{settings.page.host}:{settings.page.port}"
    if not settings.page.enabled:
        return ok("page", "switched off in the settings")
    if settings.page.needs_password and not settings.page_password_file.is_file():
        return wrong(
            "page",
            f"{at} can be reached from other machines, and has no password",
            "Set one: leukoscope-edge page password.",
        )
    problem = _cannot_listen(settings.page.host, settings.page.port)
    if settings.page.port == 0 and problem is None:
        return warning(
            "page",
            f"{settings.page.host}: another port at every start",
            "Set port under [page], so that it can be found again.",
        )
    if problem is None:
        return ok("page", f"{at} is free for it")
    if problem.errno == errno.EADDRINUSE and agent_runs(settings):
        return ok("page", f"{at} is served by the running agent")
    if problem.errno == errno.EADDRINUSE:
        return wrong(
            "page",
            f"another program has {at}",
            "Find it (sudo ss -ltnp), or set another port under [page].",
        )
    return wrong(
        "page",
        f"this machine cannot listen on {at} ({problem})",
        "Set host under [page] to an address of this machine.",
    )


def _cannot_listen(host: str, port: int) -> OSError | None:
    """Why not; None when it can."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen()
    except OSError as error:
        return error
    return None
