"""The form of notification preferences."""

from django import forms

from crm.notifications.kinds import NOTIFICATION_KINDS, Channel


class ChannelsForm(forms.Form):
    """A channel per kind of notification."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for kind in NOTIFICATION_KINDS.values():
            self.fields[kind.name] = forms.ChoiceField(label=kind.label, choices=Channel.choices, initial=kind.channel)
