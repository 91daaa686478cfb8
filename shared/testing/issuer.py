"""An OpenID Connect provider on loopback, with keys of its own: it lets in whom the test says.

with Issuer() as issuer:
    file = issuer.described(folder)                  # for JIANDING_OIDC
    back = issuer.let_in("somebody", authorize_url)  # where the browser is sent
"""

import base64
import json
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

CLIENT = "jianding-test"
ISSUER = "https://id.example.test"


class Issuer:
    """Serves its keys at `/jwks`, and ID tokens for codes at `/token`; `asked` counts questions for keys."""

    def __init__(self) -> None:
        self.asked = 0
        self.kid, self.key = "", ec.generate_private_key(ec.SECP256R1())
        self._codes: dict[str, dict[str, str]] = {}
        self.rotate()

    def __enter__(self) -> "Issuer":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def rotate(self) -> None:
        """Another key takes the place of the one there is."""
        self.kid, self.key = secrets.token_hex(4), ec.generate_private_key(ec.SECP256R1())

    def keys(self) -> dict[str, Any]:
        """Its JWKS."""
        public = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "alg": "ES256", "use": "sig"}]}

    def described(self, folder: Path) -> Path:
        """A file for JIANDING_OIDC."""
        said = {
            "issuer": ISSUER,
            "audience": CLIENT,
            "jwks": f"{self.address}/jwks",
            "authorize": f"{self.address}/authorize",
            "token": f"{self.address}/token",
        }
        file = folder / "provider.toml"
        file.write_text("".join(f'{name} = "{value}"\n' for name, value in said.items()), encoding="utf-8")
        return file

    def token(self, subject: str, nonce: str, /, **other: Any) -> str:
        """An ID token; `other` claims replace the usual ones, and None leaves one out."""
        now = datetime.now(UTC)
        usual = {
            "iss": ISSUER, "aud": CLIENT, "sub": subject, "nonce": nonce, "iat": now,
            "exp": now + timedelta(minutes=5),
        }  # fmt: skip
        claims = {name: value for name, value in {**usual, **other}.items() if value is not None}
        return jwt.encode(claims, self.key, "ES256", headers={"kid": self.kid})

    def let_in(self, subject: str, url: str) -> str:
        """Where the provider's page sends somebody who has said there who he is."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert (asked["response_type"], asked["scope"], asked["client_id"]) == ("code", "openid", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        self._codes[code] = {**asked, "subject": subject}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchanged(self, form: dict[str, str]) -> dict[str, str] | None:
        """The tokens for a code, once, and to whoever began with it."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or challenge.decode().rstrip("=") != asked["code_challenge"]:
            return None
        if form["redirect_uri"] != asked["redirect_uri"] or form["client_id"] != CLIENT:
            return None
        return {"token_type": "Bearer", "id_token": self.token(asked["subject"], asked["nonce"])}


def _handler(issuer: Issuer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            self._say(issuer.keys() if self.path == "/jwks" else None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(issuer.exchanged(form) if self.path == "/token" else None)

        def _say(self, answer: dict[str, Any] | None) -> None:
            body = json.dumps(answer).encode()
            self.send_response(400 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    return Handler
