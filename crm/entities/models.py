"""Custom fields of entities. Their values are in the record's `custom` JSON column, under the key."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from crm.entities import registry
from crm.entities.fields import Choice, Field, FieldType
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Owned

CUSTOM_TYPES = (
    FieldType.TEXT,
    FieldType.LONG_TEXT,
    FieldType.NUMBER,
    FieldType.MONEY,
    FieldType.PERCENT,
    FieldType.DATE,
    FieldType.DATETIME,
    FieldType.YES_NO,
    FieldType.SELECT,
    FieldType.MULTI_SELECT,
    FieldType.USER,
    FieldType.LINK,
    FieldType.URL,
    FieldType.PHONE,
    FieldType.EMAIL,
)
TYPE_LABELS = {
    FieldType.TEXT: _("Text"),
    FieldType.LONG_TEXT: _("Long text"),
    FieldType.NUMBER: _("Number"),
    FieldType.MONEY: _("Money"),
    FieldType.PERCENT: _("Percent"),
    FieldType.DATE: _("Date"),
    FieldType.DATETIME: _("Date and time"),
    FieldType.YES_NO: _("Yes/No"),
    FieldType.SELECT: _("Select"),
    FieldType.MULTI_SELECT: _("Multi-select"),
    FieldType.USER: _("User"),
    FieldType.LINK: _("Link to a record"),
    FieldType.URL: _("URL"),
    FieldType.PHONE: _("Phone"),
    FieldType.EMAIL: _("Email"),
}

TONES = {  # of an option's badge
    "grey": _("Gray"),
    "blue": _("Blue"),
    "green": _("Green"),
    "amber": _("Amber"),
    "red": _("Red"),
    "violet": _("Violet"),
}


class CustomField(Owned):
    """A custom field of an entity in a workspace. Written only by this app's verbs, which maintain the schema cache."""

    entity = models.CharField(_("record type"), max_length=40)
    key = models.CharField(
        _("key"),
        max_length=40,
        validators=[
            RegexValidator(
                r"\A[a-z][a-z0-9_]*\Z", _("Use lowercase letters, numbers and underscores. Start with a letter.")
            )
        ],
    )
    label = models.CharField(
        _("label"),
        max_length=80,
        validators=[
            RegexValidator(
                r"\A[^\[\]\"\n\r\t\0]*\Z", _("Labels can’t contain square brackets, double quotes or line breaks.")
            )
        ],
    )
    type = models.CharField(_("type"), max_length=20, choices=[(t.value, TYPE_LABELS[t]) for t in CUSTOM_TYPES])
    # [{"value": …, "label": …, "tone": …}], in display order; "tone" is one of TONES or absent
    choices = models.JSONField(_("options"), default=list, blank=True)
    target = models.CharField(_("linked record type"), max_length=40, blank=True)  # the linked entity
    required = models.BooleanField(_("required"), default=False)
    required_from = models.JSONField(
        _("required from"), default=list, db_default=models.Value([], models.JSONField()), blank=True
    )  # stages of the record type
    help = models.CharField(_("help text"), max_length=200, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint("workspace", "entity", "key", name="custom_field_key_unique"),
            models.UniqueConstraint("workspace", "entity", Lower("label"), name="custom_field_label_unique"),
        ]

    def __str__(self):
        return self.label

    @property
    def is_known(self) -> bool:
        """Return whether its type and linked entity exist; a restored backup may have others."""
        known = {entity.name for entity in registry.all_entities()}
        return self.type in CUSTOM_TYPES and (not self.target or self.target in known)

    def declaration(self) -> Field:
        """Return the field for the schema, like declared ones."""
        return Field(
            key=self.key,
            label=self.label,
            type=FieldType(self.type),
            choices=tuple(Choice(choice["value"], choice["label"], choice.get("tone", "")) for choice in self.choices),
            target=self.target,
            required=self.required,
            required_from=tuple(self.required_from),
            help=self.help,
            custom=True,
        )
