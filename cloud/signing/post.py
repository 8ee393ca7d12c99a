"""Posts a bundle to a FHIR server, and reads from the answer what became of it."""

import base64
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import msgspec

from cloud.signing.settings import FhirSettings
from wire.settings import SettingsError

FHIR_JSON: Final = "application/fhir+json"

_ANSWER_BYTES: Final = 4_000_000
"""An answer longer than this is none of a FHIR server to a report."""

_LONGEST_WAIT_S: Final = 3600.0
"""A server may ask for as much."""

_REASON: Final = 2000
"""Characters of a server's words that are kept."""

_OF_THE_BUNDLE: Final = frozenset({400, 412, 413, 422})
"""The bundle itself is what the server does not take."""

_NOT_OF_THE_BUNDLE: Final = frozenset({401, 403, 404, 405, 407, 408, 409, 410, 425, 429})
"""The same bundle may be taken the next time: who posts it is unknown or may not, the address is
not the server's, or it is too soon. Also with an OperationOutcome, which gateways answer with."""


class PutOff(Exception):  # noqa: N818  # nothing is wrong: it is tried again
    """Not taken now, for a reason that is not the bundle's.

    Args:
        why: a sentence without a word of the server's, for logs.
        wait_s: as the server asked; None: it did not.
    """

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class FhirRefused(Exception):  # noqa: N818  # a verdict, not a fault of the program
    """The server does not take this bundle, and will not the next time.

    Args:
        status: of the answer.
        codes: of the issues that it names.
        reason: its own words, bounded; not for logs: they may repeat a reader's.
    """

    def __init__(self, status: int, codes: tuple[str, ...], reason: str) -> None:
        super().__init__(f"status {status}, issues {', '.join(codes) or 'not named'}")
        self.status = status
        self.codes = codes
        self.reason = reason[:_REASON]


class FhirServer:
    """One server.

    Args:
        settings: with its `url`.

    Raises:
        SettingsError: `ca_file` cannot be used.
    """

    def __init__(self, settings: FhirSettings) -> None:
        self._url = f"{(settings.url or '').rstrip('/')}/"
        self._client = httpx2.AsyncClient(
            headers={
                "Content-Type": FHIR_JSON,
                "Accept": FHIR_JSON,
                "Prefer": "return=minimal",
                **_who(settings),
            },
            verify=_tls(settings),
            timeout=settings.timeout_s,
            follow_redirects=False,  # what follows one may turn the POST into a GET, or leave TLS
            trust_env=False,  # no proxy, and no password from a file, that nobody set here
        )

    async def post(self, bundle: bytes) -> None:
        """Have a transaction carried out.

        Raises:
            PutOff: nobody knows whether it was, or it was not and may be later.
            FhirRefused: the server does not take it.
        """
        try:
            async with self._client.stream("POST", self._url, content=bundle) as answer:
                data = await _read(answer)
        except httpx2.RequestError as error:
            raise PutOff(f"the FHIR server does not answer ({type(error).__name__})") from error
        _judge(answer.status_code, answer.headers, data)

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


def _who(settings: FhirSettings) -> dict[str, str]:
    if settings.token is not None:
        return {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    if settings.username is None or settings.password is None:
        return {}
    pair = f"{settings.username}:{settings.password.get_secret_value()}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _tls(settings: FhirSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"fhir.ca_file {settings.ca_file} cannot be used ({error})") from error


async def _read(answer: httpx2.Response) -> bytes:
    data = b""
    async for part in answer.aiter_bytes():
        data += part
        if len(data) > _ANSWER_BYTES:
            break
    return data


def _judge(status: int, headers: Mapping[str, str], data: bytes) -> None:
    said = _resource(data)
    kind = said.get("resourceType")
    if 200 <= status < 300:
        _judge_taken(status, said, kind)
        return
    ours = status in _OF_THE_BUNDLE or (kind == "OperationOutcome" and 400 <= status < 500)
    if ours and status not in _NOT_OF_THE_BUNDLE:
        raise FhirRefused(status, *_issues(said))
    raise PutOff(_why(status), _wait_s(headers.get("retry-after")))


def _judge_taken(status: int, said: Mapping[str, Any], kind: object) -> None:
    """Some servers say 200 and mean no."""
    if kind == "OperationOutcome":
        if any(issue.get("severity") in {"error", "fatal"} for issue in _listed(said, "issue")):
            raise FhirRefused(status, *_issues(said))
        return
    if kind != "Bundle" or said.get("type") not in {"transaction-response", "batch-response"}:
        raise PutOff(f"what answers (status {status}) is no FHIR server: check fhir.url")
    for entry in _listed(said, "entry"):
        response = entry.get("response")
        answered = response if isinstance(response, dict) else {}
        if not str(answered.get("status", "")).startswith("2"):
            raise FhirRefused(status, *_issues(answered.get("outcome") or {}))


def _resource(data: bytes) -> dict[str, Any]:
    """The answer as FHIR; empty where it is none."""
    try:
        said = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _listed(said: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = said.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _issues(said: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Codes of the issues, and what the server says of them."""
    codes, words = [], []
    for issue in _listed(said, "issue"):
        details = issue.get("details")
        text = details.get("text") if isinstance(details, dict) else None
        where = issue.get("expression") or issue.get("location") or []
        codes.append(str(issue.get("code", ""))[:40])
        words.append(f"{issue.get('diagnostics') or text or ''} {where or ''}".strip())
    return tuple(sorted(set(codes))[:10]), "; ".join(words) or "the server gave no reason"


def _why(status: int) -> str:
    if status in {401, 403, 407}:
        return f"the FHIR server does not let us in (status {status}): check fhir.token or password"
    if 300 <= status < 400:
        return f"the FHIR server sends us elsewhere (status {status}): check fhir.url"
    if status in {404, 405, 410}:
        return f"there is no FHIR server at fhir.url (status {status})"
    return f"the FHIR server puts us off (status {status})"


def _wait_s(given: str | None) -> float | None:
    """Seconds of a Retry-After header, which may also be a time."""
    if given is None:
        return None
    if given.strip().isdecimal():
        return min(float(given), _LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    until = until.replace(tzinfo=until.tzinfo or UTC)
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_WAIT_S)
