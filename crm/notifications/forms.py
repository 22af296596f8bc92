"""The form of notification preferences."""

from django import forms

from crm.notifications.kinds import Channel, all_kinds


class ChannelsForm(forms.Form):
    """A channel per kind of notification."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for kind in all_kinds():
            self.fields[kind.name] = forms.ChoiceField(label=kind.label, choices=Channel.choices, initial=kind.channel)
