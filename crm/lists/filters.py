"""Quick filters: the most common list filters, beside free conditions."""

import django_filters
from django import forms

from audit.models import Entry
from crm.entities.registry import entity_of
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _


class OwnerFilter(django_filters.ChoiceFilter):
    """Records by owner: mine, my team's, unassigned."""

    def __init__(self, **kwargs):
        choices = [("me", _("Mine")), ("team", _("My team’s")), ("nobody", _("Unassigned"))]
        super().__init__(choices=choices, empty_label=_("Any owner"), label=_("Owner"), **kwargs)

    def filter(self, rows, value):
        by: Actor = self.parent.by
        wanted = {"me": {"owner": by.member_id}, "team": {"team": by.team_id}, "nobody": {"owner__isnull": True}}
        return rows.filter(**wanted[value]) if value else rows


class ChangeFilter(django_filters.UUIDFilter):
    """Filter for the records that one user action touched, e.g. for a notification about many."""

    def __init__(self, **kwargs):
        super().__init__(widget=forms.HiddenInput(), **kwargs)

    def filter(self, rows, value):
        touched = Entry.objects.filter(change=value, entity=entity_of(rows.model)).values("entity_id")
        return rows.filter(pk__in=touched) if value else rows


class QuickFilters(django_filters.FilterSet):
    """Base of every list's quick filters; `by` is the viewer."""

    owner = OwnerFilter()
    change = ChangeFilter()

    def __init__(self, data, queryset, by: Actor):
        self.by = by
        super().__init__(data, queryset)


def many(label: str, choices) -> django_filters.MultipleChoiceFilter:
    """Return a filter for any of several values. Not DISTINCT: it would change nothing here and forbids FOR UPDATE."""
    return django_filters.MultipleChoiceFilter(
        label=label, choices=choices, widget=forms.CheckboxSelectMultiple, distinct=False
    )
