"""The issuers that members sign in with: the installation's from the environment, and those of workspaces."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

from crm.kit.ids import ALPHABET, LENGTH
from crm.kit.text import collapse_to_one_line
from crm.users.encryption import cipher
from crm.users.models import IdentityProvider, Workspace

INSTALLATION = "installation"  # its id
PURPOSE = "crm.users.oidc"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Issuer:
    """An OpenID Connect issuer, our client there, and the email domains it may speak for.

    `workspace` is the only one it opens; None for the installation's issuer, which opens all of a user's workspaces.
    """

    id: str
    name: str
    address: str
    client_id: str
    secret: str = field(repr=False)
    domains: tuple[str, ...] = ()
    workspace: Workspace | None = None
    is_on: bool = True

    @property
    def trusted(self) -> bool:
        """Whether the operator configured it: it may then be in any network."""
        return self.workspace is None

    def speaks_for(self, email: str) -> bool:
        return domain_of(email) in self.domains


def domain_of(email: str) -> str:
    return email.rpartition("@")[2].lower()


def installation() -> Issuer | None:
    given = settings.IDENTITY_PROVIDER
    if given is None:
        return None
    name = collapse_to_one_line(given.name)
    return Issuer(INSTALLATION, name, given.issuer, given.client_id, given.client_secret, given.domains)


def issuer(id: str) -> Issuer | None:
    """Return the issuer with that id, also one that is off or was removed: accounts may be linked to it."""
    if id == INSTALLATION:
        return installation() or Issuer(INSTALLATION, INSTALLATION, "", "", "", is_on=False)
    if not id:
        return None
    row = IdentityProvider.objects.unscoped().filter(public_id=id).select_related("workspace").first()
    return row and _own(row)


def issuer_of(workspace: Workspace) -> Issuer | None:
    """Return the issuer that members of the workspace sign in with, if one is on."""
    rows = IdentityProvider.objects.unscoped().filter(workspace=workspace, is_on=True)
    row = rows.select_related("workspace").first()
    if row is None:
        return None
    return _own(row) if row.issuer else installation()


def issuers(ids: Iterable[str]) -> list[Issuer]:
    """Return those of the issuers that are on."""
    found = (issuer(id) for id in ids)
    return [each for each in found if each and each.is_on]


def _own(row: IdentityProvider) -> Issuer:
    facts = (row.public_id, row.name, row.issuer, row.client_id, decrypt(row.secret))
    return Issuer(*facts, tuple(row.domains), row.workspace, row.is_on and bool(row.issuer))


def public_id_of(workspace: Workspace) -> str:
    """Return the id of a workspace's issuer: fixed before it is saved, so that its redirect URI can be registered."""
    digest = salted_hmac("crm.users.oidc.id", str(workspace.pk), algorithm="sha256").digest()
    return "sso_" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])


def encrypt(secret: str) -> str:
    return cipher(PURPOSE).encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """Return the secret; '' for one stored under another SECRET_KEY, which the issuer then rejects."""
    try:
        return cipher(PURPOSE).decrypt(stored.encode()).decode() if stored else ""
    except InvalidToken:
        log.error("A client secret of a sign-in provider cannot be read: it was stored under another SECRET_KEY.")
        return ""
