"""An OpenID Connect provider: what it says of itself, its keys, and who somebody is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from cloud.accounts.begun import Begun
from cloud.accounts.settings import OidcSettings, checked_url

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Signatures of a key pair only: `none` is no signature, and an HMAC's key would be our secret."""

_KINDS: Final = ("RSA", "EC", "OKP")
"""Of keys."""

_LEEWAY_S: Final = 60
_TIMEOUT_S: Final = 10.0
_KNOWN_S: Final = 3600.0
"""How long the provider's word about itself holds, and its keys."""

_AGAIN_S: Final = 30.0
"""A key that is not known makes them be read anew, but not more often."""


class OidcError(Exception):
    """Nobody came in, with a code and a sentence for the person who tried."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Unverified(OidcError):  # noqa: N818  # a verdict, not a fault of the program
    """What the provider answered does not prove who somebody is."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "oidc-unverified", "The single sign-on's answer could not be verified: try again."
        )
        self.cause = cause
        """For the log."""


@dataclass(frozen=True)
class _Known:
    read_at: float
    about: dict[str, Any]
    keys: KeySet


class Provider:
    """Talks to one provider. For one event loop.

    Args:
        settings: which, and who we are there.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        settings: OidcSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._how: Final[dict[str, Any]] = {
            "timeout": _TIMEOUT_S,
            "follow_redirects": False,
            "verify": httpx2.create_ssl_context(),  # once: reading the certificates takes its time
        }
        self._known: _Known | None = None

    async def sign_in_at(self, begun: Begun) -> str:
        """The provider's address that the browser is sent to.

        Raises:
            OidcError: `oidc-away`.
        """
        known = await self._read()
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                known.about["authorization_endpoint"],
                state=begun.state,
                code_verifier=begun.verifier,
                nonce=begun.nonce,
            )
        return str(url)

    async def subject(self, begun: Begun, code: str) -> str:
        """Who the code stands for, proven by the provider's signature.

        Raises:
            OidcError: `oidc-away`, `oidc-unverified`.
        """
        token = await self._exchanged(begun, code)
        known = await self._read()
        try:
            return self._verified(token, known, begun)
        except InvalidKeyIdError:
            if self._clock() - known.read_at < _AGAIN_S:
                raise Unverified("signed with a key that the provider does not name") from None
        try:
            return self._verified(token, await self._read(anew=True), begun)
        except InvalidKeyIdError as error:
            raise Unverified("signed with a key that the provider does not name") from error

    async def _exchanged(self, begun: Begun, code: str) -> dict[str, Any]:
        known = await self._read()
        try:
            async with self._client(_method(known.about)) as client:
                token = await client.fetch_token(
                    known.about["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=begun.verifier,
                )
        except OAuthError as error:
            raise Unverified(f"the provider did not take the code: {error.error}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise _away() from error
        if not isinstance(token.get("id_token"), str):
            raise Unverified("the provider sent no id_token")
        return dict(token)

    def _verified(self, token: dict[str, Any], known: _Known, begun: Begun) -> str:
        """The subject.

        Raises:
            InvalidKeyIdError: it is signed with a key that is not known.
            Unverified: anything else is wrong with it.
        """
        client_id = self._settings.client_id
        expected = {
            "iss": {"essential": True, "value": self._settings.issuer},
            "aud": {"essential": True, "value": client_id},
            "nonce": {"essential": True, "value": begun.nonce},
        }
        rest: dict[str, Any] = {"nonce": begun.nonce, "client_id": client_id}
        rest |= {"access_token": token.get("access_token")}
        try:
            registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
            read = jwt.decode(token["id_token"], known.keys, registry=registry)
            claims = CodeIDToken(read.claims, read.header, expected, rest)
            claims.validate(leeway=_LEEWAY_S)
        except InvalidKeyIdError:
            raise
        except (JoseError, ValueError, TypeError) as error:
            raise Unverified(f"{type(error).__name__}: {error}") from error
        subject = claims["sub"]
        if not isinstance(subject, str):
            raise Unverified("its subject is no text")
        return subject

    async def _read(self, *, anew: bool = False) -> _Known:
        """What the provider says of itself, read an hour ago at the most."""
        now = self._clock()
        if self._known is not None and not anew and now - self._known.read_at < _KNOWN_S:
            return self._known
        try:
            async with httpx2.AsyncClient(**self._how) as client:
                about = await _json(client, _discovery(self._settings.issuer))
                if about.get("issuer") != self._settings.issuer:
                    raise _away(f"it calls itself {about.get('issuer')!r}, not as oidc.issuer says")
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    about[name] = checked_url(str(about.get(name, "")))
                keys = _keys(await _json(client, about["jwks_uri"]))
        except (httpx2.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            raise _away() from error
        self._known = _Known(now, about, keys)
        return self._known

    def _client(self, method: str | None = None) -> AsyncOAuth2Client:
        secret = self._settings.client_secret
        return AsyncOAuth2Client(
            self._settings.client_id,
            secret.get_secret_value() if secret else None,
            token_endpoint_auth_method=method if secret else None,
            scope="openid",
            redirect_uri=self._settings.callback,
            code_challenge_method="S256",
            **self._how,
        )


def _discovery(issuer: str) -> str:
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def _method(about: dict[str, Any]) -> str | None:
    """How we prove who we are; None for the usual way."""
    taken = about.get("token_endpoint_auth_methods_supported")
    if isinstance(taken, list) and "client_secret_basic" not in taken:
        return "client_secret_post" if "client_secret_post" in taken else None
    return None


async def _json(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(url)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{urlsplit(url).path} is no JSON object")
    return found


def _keys(found: dict[str, Any]) -> KeySet:
    """Those that sign, of the kinds that are known here."""
    named = [key for key in found["keys"] if key.get("kty") in _KINDS]
    return KeySet.import_key_set({"keys": [key for key in named if key.get("use") != "enc"]})


def _away(why: str = "") -> OidcError:
    more = f" ({why})" if why else ""
    return OidcError(
        "oidc-away",
        f"The single sign-on does not answer as it should{more}. Try again in a moment, sign in "
        "with your password if you have one, or tell whoever runs the reading room.",
    )
