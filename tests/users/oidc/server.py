"""A small OpenID Connect issuer with real signatures: discovery, authorization with PKCE, tokens, keys, userinfo.

`person` is who is signed in there, `claims` change what the next ID tokens say, `broken` names what goes wrong.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "throughline", "a:secret/with signs"


def make_key() -> tuple[str, rsa.RSAPrivateKey]:
    return secrets.token_hex(4), rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer(ThreadingHTTPServer):
    """The server and its state."""

    daemon_threads = True
    shared_key = make_key()  # of all issuers that don't rotate: a key takes a tenth of a second

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/realm"
        self.key, self.published = self.shared_key, [self.shared_key]
        self.person = {"sub": "1", "email": "ann@acme.example", "email_verified": True, "name": "Ann Ruiz"}
        self.claims, self.in_userinfo, self.broken = {}, {}, ""
        self.codes, self.asked = {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def rotate(self) -> None:
        """Sign with a new key from now on, and withdraw the old one."""
        self.key = make_key()
        self.published = [self.key]

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def configuration(self) -> dict:
        found = {"issuer": self.address, "jwks_uri": f"{self.address}/keys"}
        found |= {"authorization_endpoint": f"{self.address}/authorize", "token_endpoint": f"{self.address}/token"}
        return found | {"userinfo_endpoint": f"{self.address}/userinfo"}

    def keys(self) -> dict:
        return {
            "keys": [RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": id} for id, key in self.published]
        }

    def authorize(self, query: dict) -> str:
        """Return where the browser goes, as after a sign-in."""
        self.asked.append(query)
        back = {"state": query["state"]}
        if self.broken in ("access_denied", "server_error"):
            back |= {"error": self.broken}
        else:
            code = secrets.token_urlsafe(8)
            self.codes[code] = query
            back |= {"code": code}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict) -> tuple[int, dict]:
        """Return the answer to a code, which works once, for the client that began and its PKCE secret."""
        begun = self.codes.pop(form.get("code"), None)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if begun is None or begun["code_challenge"] != challenge or begun["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token(begun["nonce"])}

    def id_token(self, nonce: str) -> str:
        now, (kid, key) = int(time.time()), self.key
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, "auth_time": now, "nonce": nonce}
        return jwt.encode(claims | self.person | self.claims, key, algorithm="RS256", headers={"kid": kid})


class Handler(BaseHTTPRequestHandler):
    """Answers with JSON, or with a redirect of the browser."""

    server: Issuer

    def do_GET(self):
        parts = urlsplit(self.path)
        match parts.path.removeprefix("/realm"):
            case "/.well-known/openid-configuration":
                self.answer(500 if self.server.broken == "down" else 200, self.server.configuration())
            case "/keys":
                self.answer(200, self.server.keys())
            case "/userinfo":
                self.answer(200, self.server.in_userinfo)
            case "/authorize":
                self.send_response(302)
                self.send_header("location", self.server.authorize(dict(parse_qsl(parts.query))))
                self.end_headers()
            case _:
                self.answer(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = dict(parse_qsl(body))
        if basic := self.headers.get("authorization"):
            pair = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            form |= {"client_id": unquote(pair[0]), "client_secret": unquote(pair[2])}
        self.answer(*self.server.token(form))

    def answer(self, status: int, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Silence the log."""
