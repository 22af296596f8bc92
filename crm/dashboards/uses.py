"""References of emailed dashboards: their filter, valid for at least one entity, and their split."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from crm.conditions.uses import ConditionReference
from crm.dashboards.models import Subscription
from crm.dashboards.parts.stuck import JOURNEY
from crm.entities.uses import FieldReference, ReferringModel, SettingUse, Target, register
from crm.kit.errors import DomainError
from crm.kit.translation import gettext as _


@dataclass(frozen=True)
class FilterReference:
    """A dashboard's filter: each card parses it for its own records."""

    text: str

    def targets(self) -> list[Target]:
        found, errors = [], []
        for axis, _values in JOURNEY:
            try:
                found += ConditionReference(axis.entity, self.text).targets()
            except DomainError as error:
                errors.append(error)
        if len(errors) == len(JOURNEY):
            raise errors[0]
        return found


def _subscriptions() -> Iterator[SettingUse]:
    for mail in Subscription.objects.exclude(every="").select_related("member__user"):
        asked = QueryDict(mail.query)
        split = [FieldReference("lead", asked["split"])] if asked.get("split") else []
        url = f"{reverse('dashboard_mail')}?{mail.query}"
        label = _("Dashboard email for {member}").format(member=mail.member)
        condition = FilterReference(asked.get("where", ""))
        yield SettingUse("subscription", mail.pk, label, url, [condition], split, blocks=False)


register(ReferringModel("subscription", "dashboards.Subscription", ("query",), _subscriptions))
