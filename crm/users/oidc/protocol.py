"""What an issuer says: its discovery document, its tokens, and the identity in an ID token.

Signatures are verified although the token comes from the issuer itself over TLS: an issuer may be a proxy of others.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import requests
from allauth.core.internal.datakit import parse_bool_safely
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.utils.crypto import constant_time_compare

from crm.kit.errors import Refused
from crm.kit.outgoing import check_url
from crm.kit.text import collapse_to_one_line
from crm.kit.translation import gettext as _
from crm.users.oidc.issuers import Issuer

WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# Only signatures that need the issuer's private key: with HS256 whoever has our client secret could sign.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY = 60  # seconds that clocks may differ
LONGEST_NAME = 120  # characters


class SignInFailed(OAuth2Error):
    """The issuer can't be used or is not believed; the message is for the person who signs in."""


@dataclass(frozen=True)
class Identity:
    """A person, as an issuer knows them. `email` is lower case, and '' unless the issuer says that it is verified."""

    email: str
    name: str
    signed_in_at: int | None


def discover(session: requests.Session, issuer: Issuer) -> dict[str, Any]:
    """Return the issuer's discovery document. Raises SignInFailed, and RequestException if it can't be read."""
    address = issuer.address.rstrip("/")
    found = session.get(address + WELL_KNOWN)
    if found.status_code != 200:
        sentence = _("{url} responded with {status}. Check the issuer address.")
        raise SignInFailed(sentence.format(url=address + WELL_KNOWN, status=found.status_code))
    config = _json(found)
    if str(config.get("issuer")).rstrip("/") != address:
        sentence = _("The server at {address} is the issuer {issuer}. Enter that address.")
        raise SignInFailed(sentence.format(address=address, issuer=config.get("issuer")))
    for name in ENDPOINTS:
        _check_endpoint(name, config.get(name), issuer)
    return config


def _check_endpoint(name: str, url: Any, issuer: Issuer) -> None:
    try:
        check_url(url if isinstance(url, str) else "", trusted=issuer.trusted)
    except Refused:
        sentence = _("The configuration of {provider} has no valid {endpoint}.")
        raise SignInFailed(sentence.format(provider=issuer.name, endpoint=name)) from None


def exchange(
    session: requests.Session, url: str, issuer: Issuer, grant: Mapping[str, str], *, basic: bool
) -> dict[str, Any]:
    """Return the tokens for a code. Raises SignInFailed, also for a wrong client secret."""
    client = {"client_id": issuer.client_id, "client_secret": issuer.secret}
    auth = (issuer.client_id, issuer.secret) if basic else None
    answer = session.post(url, data=dict(grant) if basic else {**grant, **client}, auth=auth)
    tokens = _json(answer)
    if answer.status_code == 401 or tokens.get("error") in ("invalid_client", "unauthorized_client"):
        sentence = _("{provider} rejected Throughline’s client ID or secret. Ask an admin to check them.")
        raise SignInFailed(sentence.format(provider=issuer.name))
    if not isinstance(tokens.get("id_token"), str) or not isinstance(tokens.get("access_token"), str):
        sentence = _("{provider} didn’t complete the sign-in. Try again.")
        raise SignInFailed(sentence.format(provider=issuer.name))
    return tokens


def read_id_token(session: requests.Session, config: Mapping[str, Any], issuer: Issuer, token: str, nonce: str) -> dict:
    """Return the claims of an ID token that was issued for us, now, and for this browser. Raises SignInFailed.

    The keys are read each time: a rotated key works at once, and a withdrawn one does not.
    """
    try:
        claims = jwt.decode(
            token,
            _key_of(session, config["jwks_uri"], token),
            algorithms=ALGORITHMS,
            issuer=config["issuer"],
            audience=issuer.client_id,
            leeway=LEEWAY,
            options={"require": ["iss", "aud", "sub", "exp", "iat"]},
        )
    except jwt.PyJWTError as error:
        raise _not_believed(issuer) from error
    is_ours = claims.get("azp", issuer.client_id) == issuer.client_id
    is_this_browser = constant_time_compare(str(claims.get("nonce")), nonce)
    if not (is_ours and is_this_browser and claims["sub"]):
        raise _not_believed(issuer)
    return claims


def _key_of(session: requests.Session, url: str, token: str):
    listed = _json(session.get(url)).get("keys")
    stored = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    keys, wanted = jwt.PyJWKSet(stored).keys, jwt.get_unverified_header(token).get("kid")
    usable = [key for key in keys if key.public_key_use in (None, "sig") and wanted in (None, key.key_id)]
    if len(usable) != 1:
        raise jwt.InvalidKeyError("No key, or several, for this token.")  # not a text
    return usable[0].key


def add_userinfo(
    session: requests.Session, config: Mapping[str, Any], claims: Mapping[str, Any], access_token: str
) -> dict:
    """Return the claims, with those of the userinfo endpoint if the ID token has no email address.

    Its answer counts only for the same subject.
    """
    if "email" in claims or not config.get("userinfo_endpoint"):
        return dict(claims)
    found = session.get(config["userinfo_endpoint"], headers={"authorization": f"Bearer {access_token}"})
    more = _json(found) if found.status_code == 200 else {}
    return {**more, **claims} if more.get("sub") == claims["sub"] else dict(claims)


def identity(claims: Mapping[str, Any]) -> Identity:
    """Return who that is. Microsoft says in `xms_edov` whether the address belongs to the directory's own domains."""
    is_verified = parse_bool_safely(claims.get("email_verified")) or str(claims.get("xms_edov")).lower() in (
        "true",
        "1",
    )
    email = claims.get("email") if is_verified else ""
    name, at = claims.get("name"), claims.get("auth_time")
    return Identity(
        email.strip().lower() if isinstance(email, str) else "",
        collapse_to_one_line(name)[:LONGEST_NAME] if isinstance(name, str) else "",
        at if isinstance(at, int) else None,
    )


def nonce_of(code_verifier: str) -> str:
    """Return the nonce of a sign-in, derived from its PKCE secret: both are bound to the browser's session."""
    digest = hashlib.sha256(f"nonce {code_verifier}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _not_believed(issuer: Issuer) -> SignInFailed:
    sentence = _("The response of {provider} isn’t valid for this sign-in. Try again.")
    return SignInFailed(sentence.format(provider=issuer.name))


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except (requests.JSONDecodeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}
