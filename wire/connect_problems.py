"""Why there is no connection to the broker, in words that name the setting to look at."""

import ssl

from wire.broker import BrokerSettings


def connect_problem(settings: BrokerSettings, error: BaseException | None) -> str:
    """Explain the error that a try to connect ended with."""
    address = f"{settings.host}:{settings.port}"
    if isinstance(error, ssl.SSLError):
        return (
            f"TLS with the broker at {address} failed ({error}): check ca_file, and that the "
            f"broker's certificate is for {settings.host}"
        )
    return f"no broker answers at {address} ({error}): check host and port"


def closed_unanswered(settings: BrokerSettings) -> str:
    """Say what to look at when the connection was closed before the broker's first word."""
    check = "cert_file and key_file" if settings.encrypted else "whether the broker asks for TLS"
    return (
        f"the broker at {settings.host}:{settings.port} closed the connection without a word: "
        f"check {check}, and its log"
    )
