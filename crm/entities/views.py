"""The settings pages of fields: those of a record type, and the custom ones to create, change, convert and archive."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.entities import registry
from crm.entities.conversion_survey import survey, types_for
from crm.entities.conversion_uses import uses_after
from crm.entities.fields import TEXTS, FieldType
from crm.entities.models import TYPE_LABELS, CustomField
from crm.entities.settings_forms import ConversionForm, FieldForm, OptionFormSet
from crm.entities.sql import orm_value
from crm.entities.uses import SettingUse, Target, field_target, option_target, used_by
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.convert_custom_field import convert_custom_field
from crm.entities.verbs.restore_custom_field import restore_custom_field
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit import formats
from crm.kit.errors import InUse, Invalid, Refused, TooSlow
from crm.kit.responses import in_use_html, show_errors, toast
from crm.kit.timelimit import PAGE, long_request, time_limit
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.users.http import Request
from crm.users.roles import Right
from crm.users.views import needs

MOST_COUNTED = 10_000


@require_GET
@needs(Right.WORKSPACE)
def fields(request: Request) -> HttpResponse:
    """The fields of one record type: custom ones with what uses them, archived ones, built-in ones."""
    kinds = [kind for kind in registry.all_entities() if kind.has_custom_fields()]
    kind = next((kind for kind in kinds if kind.name == request.GET.get("entity", "contact")), kinds[0])
    uses, custom = used_by(), CustomField.objects.filter(entity=kind.name)
    context = {
        "kinds": kinds,
        "kind": kind,
        "custom": [(field, uses_of(field, uses)) for field in custom if field.archived_at is None],
        "archived": [field for field in custom if field.archived_at],
        "declared": [(field, TYPE_LABELS[field.type]) for field in kind.fields.values() if field.type in TYPE_LABELS],
    }
    return render(request, "entities/fields.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def field(request: Request, pk: int = 0) -> HttpResponse:
    """Create a field, or change one."""
    found = get_object_or_404(CustomField, pk=pk) if pk else CustomField(entity=request.GET.get("entity", ""))
    form = FieldForm(request.POST or None, field=found)
    options = OptionFormSet(request.POST or None, initial=found.choices, prefix="option")
    if form.is_valid() and not options.is_valid():
        form.add_error(None, _("Check the options. A label has up to 80 characters, and an order is a whole number."))
    if form.is_valid() and _saved(request, form, options, found):
        toast(request, _("Field “{field}” saved.").format(field=found.label))
        return redirect(f"{reverse('fields')}?entity={found.entity}")
    kind = next((kind for kind in registry.all_entities() if kind.name == found.entity), None)
    shown = CustomField.objects.get(pk=pk) if pk else None
    context = {"form": form, "options": options, "field": shown, "kind": kind}
    if shown:
        context |= {"uses": uses_of(shown, used_by()), "count": _count_values(shown), "types": types_for(shown)}
    return render(request, "entities/field.html", context, status=422 if form.errors else 200)


def _saved(request: Request, form: FieldForm, options, found: CustomField) -> bool:
    form.fill(found, [row.cleaned_data for row in options.ordered_forms])
    try:
        save_custom_field(found, by=request.actor)
    except (Invalid, InUse) as error:
        show_errors(form, error)
        return False
    return True


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def convert_field(request: Request, pk: int) -> HttpResponse:
    """Preview what a conversion to the chosen type does, or make it."""
    found = get_object_or_404(CustomField, pk=pk, archived_at__isnull=True)
    form = ConversionForm(request.POST or request.GET or None, types=types_for(found))
    if request.method == "POST" and form.is_valid() and _converted(request, form, found):
        return redirect("field", found.pk)
    context = {"field": found, "form": form, "kind": registry.get(found.entity)}
    if form.is_bound and "type" not in form.errors:
        context |= _previewed(request, form, found)
    return render(request, "entities/convert.html", context, status=422 if form.errors else 200)


def _converted(request: Request, form: ConversionForm, found: CustomField) -> bool:
    to, seen = FieldType(form.cleaned_data["type"]), form.cleaned_data["seen"]
    try:
        with long_request():
            made = convert_custom_field(found, to, seen=seen, by=request.actor)
    except Refused as error:
        form.add_error(None, in_use_html(error) if isinstance(error, InUse) else str(error))
        return False
    sentence = ngettext("Field converted, with {count} value.", "Field converted, with {count} values.", made.converted)
    undo_url = reverse("undo", args=[request.actor.change])
    toast(request, sentence.format(count=formats.number(made.converted)), undo_url=undo_url)
    return True


def _previewed(request: Request, form: ConversionForm, found: CustomField) -> dict[str, Any]:
    """Return the preview for its page: the survey, examples, and the settings with why they can't stay."""
    try:
        with time_limit(PAGE):
            made = survey(found, FieldType(form.cleaned_data["type"]))
            kept, losses = made.examples(request.actor)
            uses = uses_after(found, made.changes)
    except (Refused, TooSlow) as error:
        slow = _("Counting the values takes too long. Try again when less is going on.")
        form.add_error(None, slow if isinstance(error, TooSlow) else str(error))
        return {}
    blocked = any(why and use.blocks for use, why in uses)
    return {"survey": made, "kept": kept, "losses": losses, "uses": uses, "blocked": blocked}


@require_POST
@needs(Right.WORKSPACE)
def archive_field(request: Request, pk: int) -> HttpResponse:
    found = archive_custom_field(get_object_or_404(CustomField, pk=pk), by=request.actor)
    toast(request, _("Field “{field}” archived. Its values are kept.").format(field=found.label))
    return redirect(f"{reverse('fields')}?entity={found.entity}")


@require_POST
@needs(Right.WORKSPACE)
def restore_field(request: Request, pk: int) -> HttpResponse:
    found = restore_custom_field(get_object_or_404(CustomField, pk=pk), by=request.actor)
    toast(request, _("Field “{field}” restored.").format(field=found.label))
    return redirect(f"{reverse('fields')}?entity={found.entity}")


def uses_of(field: CustomField, found: Mapping[Target, Sequence[SettingUse]]) -> list[tuple[SettingUse, list[str]]]:
    """Each setting that uses a field, with the labels of the options that it names."""
    options: dict[SettingUse, list[str]] = {use: [] for use in found.get(field_target(field.entity, field.key), ())}
    for choice in field.choices:
        for use in found.get(option_target(field.entity, field.key, choice["value"]), ()):
            options.setdefault(use, []).append(choice["label"])
    return list(options.items())


def _count_values(field: CustomField) -> int | None:
    """How many records have a value, up to MOST_COUNTED; None where counting takes too long."""
    value = orm_value(field.declaration())
    rows = registry.get(field.entity).model.objects.alias(held=value).filter(held__isnull=False)
    rows = rows.exclude(held="") if FieldType(field.type) in TEXTS else rows
    try:
        with time_limit(1):
            return rows[:MOST_COUNTED].count()
    except TooSlow:
        return None
