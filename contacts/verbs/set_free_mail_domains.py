"""Set the workspace's own free email domains."""

from collections.abc import Sequence

from django.db import transaction

from audit.record import record, update_and_record
from contacts.models import FreeMailDomains
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.text import domain_key
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require


@transaction.atomic
def set_free_mail_domains(domains: Sequence[str], *, by: Actor) -> FreeMailDomains:
    """Set the domains whose addresses link no contact to a company, besides the shipped ones.

    Existing contacts keep their company. Raises NotAllowed for non-admins, Invalid for text that isn't a domain.
    """
    require(by, Right.WORKSPACE)
    if wrong := [text for text in domains if not domain_key(text)]:
        sentence = _("“{text}” isn’t a valid domain, e.g. example.com.")
        raise Invalid({"domains": sentence.format(text=wrong[0][:60])})
    values = {"domains": "\n".join(sorted(set(map(domain_key, domains))))}
    found, is_new = FreeMailDomains.objects.get_or_create(workspace_id=by.workspace_id, defaults=values)
    rows = FreeMailDomains.objects.filter(pk=found.pk)
    if is_new:
        record("free_mail_domains.created", rows, by=by, snapshot=["domains"])
    else:
        update_and_record("free_mail_domains.updated", rows, values, by=by)
    return rows.get()
