"""Forms of files."""

from django import forms

from crm.kit.translation import gettext_lazy as _


class AttachmentForm(forms.Form):
    """Name and description of a file."""

    name = forms.CharField(label=_("Name"), max_length=200)
    description = forms.CharField(label=_("Description"), max_length=500, required=False)
