"""A small OpenID Connect provider: real RSA key, real HTTP, and told to lie where a test asks.

with provider() as idp:
    idp.settings()                      # for CloudSettings(oidc=…)
    idp.person = "subject-17"           # whoever signs in at it next
    idp.lies = {"aud": "another"}       # claims of the next ID token that are not true
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import uvicorn
from brokers import free_port
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

CLIENT, SECRET = "leukoscope", "a secret of two machines"


@dataclass
class IdP:
    """What it knows and how it answers."""

    port: int
    person: str = "subject-17"
    lies: dict[str, object] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: object = None
    """Signs; where it is none of `keys`, nobody can verify it."""
    keys: list[object] = field(default_factory=list)
    methods: tuple[str, ...] = ("client_secret_basic",)
    about: dict[str, object] = field(default_factory=dict)
    """What it says of itself that is not true."""
    asked: list[str] = field(default_factory=list)
    down: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, **changes: object) -> dict[str, object]:
        plain = {"issuer": self.issuer, "client_id": CLIENT, "client_secret": SECRET}
        return plain | {"page_url": "http://127.0.0.1:8740"} | changes

    def reset(self) -> None:
        """As at the beginning."""
        self.person, self.lies, self.about = "subject-17", {}, {}
        self.keys, self.key, self.algorithm = [RSA], RSA, "RS256"
        self.methods, self.down = ("client_secret_basic",), False
        self.asked.clear()
        self.codes.clear()

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": self.person, "aud": CLIENT, "nonce": nonce}
        claims |= {"iat": now, "exp": now + 300} | self.lies
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.as_dict()["kid"]}
        signed = f"{_plain(header)}.{_plain(claims)}"
        if self.algorithm == "none":
            return f"{signed}."
        if self.algorithm == "HS256":
            mac = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{_base64(mac)}"
        registry = JWSRegistry(algorithms=[self.algorithm])
        return jwt.encode(header, claims, self.key, registry=registry)


def _made(kind, *more, **given):
    return kind.generate_key(*more, parameters={"kid": secrets.token_hex(4)} | given)


RSA, STRANGER = _made(RSAKey, 2048), _made(RSAKey, 2048)
EC = _made(ECKey, "P-256")


@contextmanager
def provider() -> Iterator[IdP]:
    """It runs on a thread of its own."""
    idp = IdP(free_port())
    idp.reset()
    config = uvicorn.Config(_app(idp), host="127.0.0.1", port=idp.port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until, "the provider did not start"
        time.sleep(0.02)
    with closing(_Stop(server, thread)):
        yield idp


@dataclass
class _Stop:
    server: uvicorn.Server
    thread: threading.Thread

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


def _app(idp: IdP) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def noted(request: Request, go_on):
        idp.asked.append(request.url.path)
        return JSONResponse({}, 503) if idp.down else await go_on(request)

    @app.get("/.well-known/openid-configuration")
    def about():
        return {
            "issuer": idp.issuer,
            "authorization_endpoint": f"{idp.issuer}/authorize",
            "token_endpoint": f"{idp.issuer}/token",
            "jwks_uri": f"{idp.issuer}/keys",
            "token_endpoint_auth_methods_supported": list(idp.methods),
        } | idp.about

    @app.get("/keys")
    def keys():
        return {"keys": [key.as_dict(private=False) for key in idp.keys]}

    @app.get("/authorize")
    def authorize(request: Request):
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["scope"] == "openid"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        idp.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": idp.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    @app.post("/token")
    async def token(request: Request):
        form = dict(await request.form())
        if not _is_client(idp, request.headers.get("authorization", ""), form):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = idp.codes.pop(form["code"], None)  # once
        proven = asked and asked["code_challenge"] == _challenge(form["code_verifier"])
        if not proven or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": idp.id_token(asked["nonce"]),
        }

    return app


def _is_client(idp: IdP, basic: str, form: dict[str, str]) -> bool:
    if "client_secret_basic" in idp.methods:
        name, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
        return (name, secret) == (CLIENT, SECRET)
    return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)


def _challenge(verifier: str) -> str:
    return _base64(hashlib.sha256(verifier.encode()).digest())


def _plain(part: object) -> str:
    return _base64(json.dumps(part).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
