"""The contact's two axes: lifecycle stage and reachability."""

from crm.entities.fields import Choice
from crm.kit.actor import Role
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis, Move, Reason

LIFECYCLE = Axis(
    entity="contact",
    field="lifecycle_stage",
    label=_("Lifecycle Stage"),
    values=(
        Choice("lead", _("Lead"), "amber"),
        Choice("qualified", _("Qualified"), "blue"),
        Choice("customer", _("Customer"), "green"),
        Choice("lost", _("Lost"), "red", ends_it=True),
        Choice("churned", _("Churned"), "grey", ends_it=True),
        Choice("partner", _("Partner"), "violet"),
    ),
    moves=(
        Move("qualify", _("Qualify"), ("lead",), "qualified", "contact.qualified"),
        Move("win", _("Mark as customer"), ("qualified",), "customer", "contact.won", aliases=("Won",)),
        Move(
            "lose",
            _("Mark as lost"),
            ("lead", "qualified"),
            "lost",
            "contact.lost",
            reason=Reason.ASKED,
            aliases=("Lost",),
        ),
        Move(
            "churn",
            _("Mark as churned"),
            ("customer",),
            "churned",
            "contact.churned",
            reason=Reason.ASKED,
            aliases=("Churned",),
        ),
        Move(
            "partner",
            _("Mark as partner"),
            ("lead", "qualified", "customer"),
            "partner",
            "contact.partnered",
            reason=Reason.REQUIRED,
            aliases=("Partner",),
        ),
        Move(
            "reopen",
            _("Reopen"),
            ("lost", "churned"),
            "lead",
            "contact.reopened",
            role=Role.MANAGER,
            reason=Reason.REQUIRED,
        ),
        Move(
            "override",
            _("Override stage"),
            ("lead", "qualified", "customer", "lost", "churned", "partner"),
            "",
            "contact.overridden",
            role=Role.MANAGER,
            reason=Reason.REQUIRED,
            severity="warning",
            aliases=("Override",),
        ),
    ),
    start_help=_("New contacts start at Lead. Choose a later stage if they are further along, e.g. a customer."),
)

STATUS = Axis(
    entity="contact",
    field="status",
    label=_("Status"),
    values=(
        Choice("active", _("Active"), "green"),
        Choice("inactive", _("Inactive"), "grey"),
        Choice("bounced", _("Bounced"), "red"),
        Choice("unsubscribed", _("Unsubscribed"), "amber"),
    ),
    moves=(
        Move(
            "set_status",
            _("Change status"),
            ("active", "inactive", "bounced", "unsubscribed"),
            "",
            "contact.status_changed",
        ),
        Move(
            "suppression",
            _("Suppress address"),
            ("active", "inactive", "bounced", "unsubscribed"),
            "",
            "contact.status_changed",
            by_rule=True,
            aliases=("Suppression",),
        ),
    ),
)

# A merged contact keeps the stage that says most about the person.
FURTHEST = ("lost", "lead", "qualified", "partner", "churned", "customer")
