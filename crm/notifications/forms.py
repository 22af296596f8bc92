"""How a member chooses what to be notified of."""

from django import forms

from crm.notifications.kinds import Channel, all_kinds


class ChannelsForm(forms.Form):
    """A channel for each kind of notification."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for kind in all_kinds():
            self.fields[kind.name] = forms.ChoiceField(label=kind.label, choices=Channel.choices, initial=kind.channel)
