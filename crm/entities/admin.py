"""Custom fields in the Django admin."""

from collections.abc import Iterable, Mapping, Sequence

from django import forms
from django.contrib import admin, messages
from django.utils.html import format_html_join

from crm.entities.models import CustomField
from crm.entities.uses import SettingUse, Target, field_target, option_target, used_by
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.restore_custom_field import restore_custom_field
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.errors import InUse
from crm.kit.responses import in_use_html
from crm.kit.scope import in_workspace
from crm.kit.text import search_key
from crm.kit.translation import gettext_lazy as _
from crm.users.admin import actor_in
from crm.users.admin_site import TriedForm, WorkspaceModelAdmin


class CustomFieldForm(TriedForm):
    """Choices are entered one per line; stored values derive from the first labels and stay fixed."""

    choice_lines = forms.CharField(
        label=_("Options"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("One option per line. To rename an option, enter “value = New label”."),
    )

    class Meta:
        model = CustomField
        fields = ["entity", "key", "label", "type", "target", "required", "help", "position"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        lines = [f"{choice['value']} = {choice['label']}" for choice in self.instance.choices]
        self.fields["choice_lines"].initial = "\n".join(lines)

    def clean(self):
        cleaned = super().clean()
        lines = [line.strip() for line in cleaned.get("choice_lines", "").splitlines() if line.strip()]
        self.instance.choices = [_choice(line) for line in lines]
        return cleaned


def _choice(line: str) -> dict[str, str]:
    value, equals, label = (part.strip() for part in line.partition("="))
    return {"value": value, "label": label} if equals else {"value": search_key(line).replace(" ", "_"), "label": line}


@admin.register(CustomField)
class CustomFieldAdmin(WorkspaceModelAdmin):
    """A workspace's custom fields. Unwanted ones are archived, keeping their values."""

    form = CustomFieldForm
    list_display = ["label", "entity", "type", "key", "used_by", "position", "archived_at", "workspace"]
    readonly_fields = ["used_by"]
    list_filter = ["entity", "type"]
    search_fields = ["label", "key"]
    actions = ["archive", "restore"]

    def has_add_permission(self, request):
        return request.actor is not None and self.has_change_permission(request)

    def save_model(self, request, obj, form, change):
        save_custom_field(obj, by=actor_in(request, obj.workspace_id or request.actor.workspace_id))

    def get_changelist_instance(self, request):
        """Load the uses of the page's fields, once per workspace."""
        changes = super().get_changelist_instance(request)
        for fields in _by_workspace(changes.result_list).values():
            with in_workspace(fields[0].workspace):
                found = used_by()
                for field in fields:
                    field.uses = _uses_of(field, found)
        return changes

    @admin.display(description=_("Used by"))
    def used_by(self, field):
        """Return links to the settings that refer to the field, with the options used."""
        if not field.pk:
            return "—"
        uses = field.uses if hasattr(field, "uses") else _uses_of(field, used_by())
        return format_html_join(", ", '<a href="{}">{}</a>{}', uses) or "—"

    @admin.action(description=_("Archive selected fields"))
    def archive(self, request, queryset):
        """Remove from forms, columns and conditions, keeping values."""
        self._each(request, queryset, archive_custom_field)

    @admin.action(description=_("Restore selected fields"))
    def restore(self, request, queryset):
        """Restore, with the values kept by records."""
        self._each(request, queryset, restore_custom_field)

    def _each(self, request, queryset, verb) -> None:
        for field in queryset.select_related("workspace"):
            with in_workspace(field.workspace):
                try:
                    verb(field, by=actor_in(request, field.workspace_id))
                except InUse as error:
                    self.message_user(request, in_use_html(error), messages.ERROR)


def _by_workspace(fields: Iterable[CustomField]) -> dict[int, list[CustomField]]:
    found: dict[int, list[CustomField]] = {}
    for field in fields:
        found.setdefault(field.workspace_id, []).append(field)
    return found


def _uses_of(field: CustomField, found: Mapping[Target, Sequence[SettingUse]]) -> list[tuple[str, str, str]]:
    """Return URL and label of each setting that uses a field, with its options in brackets."""
    options: dict[SettingUse, list[str]] = {use: [] for use in found.get(field_target(field.entity, field.key), ())}
    for choice in field.choices:
        for use in found.get(option_target(field.entity, field.key, choice["value"]), ()):
            options.setdefault(use, []).append(choice["label"])
    return [(use.url, use.label, f" ({', '.join(names)})" if names else "") for use, names in options.items()]
