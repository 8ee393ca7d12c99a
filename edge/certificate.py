"""Whether the broker lets this station in much longer: the end of its client certificate."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge.trouble import Trouble

WARN_BEFORE: Final = timedelta(days=14)
_RENEW: Final = (
    "Have the certificate renewed by whoever runs the broker. Captures go on and stay saved here."
)


def certificate_trouble(file: Path | None, now: datetime) -> Trouble | None:
    """What is wrong with the client certificate; None when all is well, or there is none.

    Args:
        file: PEM, as in the broker's settings.
        now: by the station's clock, with its time zone.

    Returns:
        `certificate-unreadable`, `certificate-early`, `certificate-expired` or
        `certificate-expiring`; the sentence names no file.
    """
    if file is None:
        return None
    from cryptography import x509  # takes its time to load

    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return Trouble(
            "certificate-unreadable",
            "The station's certificate for the broker cannot be read.",
            "Check the setting broker.cert_file and the file's owner. " + _RENEW,
        )
    return _judged(certificate.not_valid_before_utc, certificate.not_valid_after_utc, now)


def _judged(begins: datetime, ends: datetime, now: datetime) -> Trouble | None:
    if now < begins:
        return Trouble(
            "certificate-early",
            f"By this station's clock ({now:%Y-%m-%d}) its certificate for the broker is not yet "
            f"valid: it begins on {begins:%Y-%m-%d}.",
            "Set the clock. Captures go on and stay saved here.",
        )
    if now >= ends:
        return Trouble(
            "certificate-expired",
            f"The station's certificate for the broker expired on {ends:%Y-%m-%d}; by its clock "
            f"today is {now:%Y-%m-%d}.",
            _RENEW,
        )
    if ends - now < WARN_BEFORE:
        days = max(1, (ends - now).days)
        return Trouble(
            "certificate-expiring",
            f"The station's certificate for the broker expires on {ends:%Y-%m-%d}, in {days} "
            f"{'day' if days == 1 else 'days'}.",
            _RENEW,
        )
    return None
