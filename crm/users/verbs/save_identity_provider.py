"""Change how members of a workspace sign in."""

import re
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from audit.record import record, update_and_record
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, Refused
from crm.kit.outgoing import check_url
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.users.guards import clean_name
from crm.users.models import IdentityProvider, Team, Workspace
from crm.users.oidc.issuers import encrypt, installation, public_id_of
from crm.users.roles import Right, require
from crm.users.workspaces import admins_with_password

DOMAIN = re.compile(r"(?=.{4,190}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
# Everyone can have an address there.
PUBLIC = {
    *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "icloud.com"),
    *("me.com", "aol.com", "gmx.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com", "mail.com"),
}
RECORDED = ("is_on", "name", "issuer", "client_id", "domains", "join_role", "join_team")


@transaction.atomic
def save_identity_provider(
    *,
    is_on: bool,
    name: str = "",
    issuer: str = "",
    client_id: str = "",
    secret: str = "",
    domains: Iterable[str] = (),
    join_role: str = "",
    join_team: Team | None = None,
    require_provider: bool = False,
    by: Actor,
) -> IdentityProvider:
    """Set the workspace's issuer (blank: the installation's), who may join by domain, and whether passwords are off.

    A blank `secret` keeps the stored one, unless it would go to another issuer. Raises NotAllowed, and Invalid per
    field.
    """
    require(by, Right.WORKSPACE)
    # Taken by keep_an_admin() too: the last admin with a password stays one while passwords are being switched off.
    Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
    old = IdentityProvider.objects.first()
    wanted: dict[str, Any] = {
        "is_on": is_on,
        "name": name.strip(),
        "issuer": issuer.strip(),
        "client_id": client_id.strip(),
    }
    wanted |= {
        "domains": _clean_domains(domains),
        "join_role": join_role,
        "join_team": join_team if join_role else None,
    }
    if is_on:
        _check(wanted, secret, old)
    row = _store(wanted, encrypt(secret.strip()) if secret.strip() else "", old, by)
    _require(is_on and require_provider, by)
    return row


def _clean_domains(domains: Iterable[str]) -> list[str]:
    found = sorted({domain.strip().lower().removeprefix("@") for domain in domains} - {""})
    if wrong := [domain for domain in found if not DOMAIN.fullmatch(domain)]:
        raise Invalid({"domains": _("“{domain}” isn’t a domain, e.g. example.com.").format(domain=wrong[0])})
    if public := [domain for domain in found if domain in PUBLIC]:
        raise Invalid({"domains": _("Everyone can have an address at {domain}.").format(domain=public[0])})
    return found


def _check(wanted: dict[str, Any], secret: str, old: IdentityProvider | None) -> None:
    if wanted["issuer"]:
        _check_own(wanted, secret, old)
    else:
        _check_installation(wanted)
    if wanted["join_role"] and not wanted["domains"]:
        raise Invalid({"domains": _("Enter the domains whose addresses may join.")})
    if wanted["join_role"] == Role.ADMIN:
        raise Invalid({"join_role": _("Admins can’t join by domain. Change their role later.")})


def _check_own(wanted: dict[str, Any], secret: str, old: IdentityProvider | None) -> None:
    wanted["name"] = clean_name(wanted["name"], at_most=40)
    try:
        parts = check_url(wanted["issuer"])
    except Refused as error:
        raise Invalid({"issuer": str(error)}) from None
    if parts.query or parts.fragment:
        raise Invalid({"issuer": _("Enter a valid URL.")})
    if not wanted["client_id"]:
        raise Invalid({"client_id": _("Enter the client ID.")})
    keeps = old and old.secret and old.issuer == wanted["issuer"]
    if not (secret.strip() or keeps):
        raise Invalid({"secret": _("Enter the client secret.")})


def _check_installation(wanted: dict[str, Any]) -> None:
    shared = installation()
    if shared is None:
        raise Invalid({"issuer": _("Enter the issuer address.")})
    if others := [domain for domain in wanted["domains"] if domain not in shared.domains]:
        sentence = _("{provider} may not speak for {domain}. Your server’s operator sets that.")
        raise Invalid({"domains": sentence.format(provider=shared.name, domain=others[0])})


def _store(wanted: dict[str, Any], secret: str, old: IdentityProvider | None, by: Actor) -> IdentityProvider:
    if old is None:
        row = IdentityProvider.objects.create(public_id=public_id_of(workspace()), secret=secret, **wanted)
        record("identity_provider.created", IdentityProvider.objects.filter(pk=row.pk), by=by, snapshot=RECORDED)
        return row
    rows = IdentityProvider.objects.filter(pk=old.pk)
    update_and_record("identity_provider.updated", rows, wanted, by=by)
    if secret:
        rows.update(secret=secret)
        record("identity_provider.updated", rows, by=by, note="secret")
    return rows.get()


def _require(required: bool, by: Actor) -> None:
    if required and not admins_with_password(by.workspace_id).exists():
        sentence = _("An admin needs a password, in case the provider fails. Set one under Security first.")
        raise Invalid({"require_provider": sentence})
    update_and_record(
        "workspace.updated", Workspace.objects.filter(pk=by.workspace_id), {"require_provider": required}, by=by
    )
