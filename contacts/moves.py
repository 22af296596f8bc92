"""The lifecycle verbs by name."""

from contacts.verbs.churn import churn
from contacts.verbs.lose import lose
from contacts.verbs.partner import partner
from contacts.verbs.qualify import qualify
from contacts.verbs.reopen import reopen
from contacts.verbs.win import win

VERBS = {verb.__name__: verb for verb in (qualify, win, lose, churn, partner, reopen)}
