"""Workflow templates: a workflow that is created from one runs once it is turned on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.kit.registry import Registry
from crm.kit.translation import gettext_lazy as _


@dataclass(frozen=True)
class Shipped:
    """A template that an app provides; its fields match a definition's."""

    name: str
    title: str
    about: str
    trigger: dict[str, Any]
    steps: Sequence[dict[str, Any]]
    condition: str = ""
    icon: str = field(default="workflow")


SHIPPED: Registry[Shipped] = Registry("shipped workflow")  # not a text


def ship(workflow: Shipped) -> None:
    """Register a template. Raises ValueError for a duplicate name."""
    SHIPPED.add(workflow.name, workflow)


def _task(subject: str, **values: Any) -> dict[str, Any]:
    task = {"kind": "activity", "activity": "task", "subject": subject, "body": "", "priority": "high", "days": ""}
    return task | {"who": "record_owner"} | values


QUALIFIED = {"kind": "transition", "entity": "contact", "to": "lifecycle_stage=qualified"}

# Source 002: Contact.qualified creates a deal and an activity.
ship(
    Shipped(
        "inbound",
        _("Qualified: opportunity and follow-up"),
        _("When a contact becomes Qualified, create an opportunity at Prospecting and a follow-up task for the owner."),
        QUALIFIED,
        (
            {
                "kind": "opportunity",
                "name": _("{name} - Inbound"),
                "amount": 12_000,
                "stage": "prospecting",
                "days": "",
                "who": "record_owner",
            },
            _task(_("Follow up with {name}")),
        ),
        icon="circle-dollar-sign",
    )
)
ship(
    Shipped(
        "onboarding",
        _("Onboarding"),
        _(
            "When a contact becomes Qualified, send a welcome email and schedule a call. "
            "Remind the owner after a week if nothing has changed."
        ),
        QUALIFIED,
        (
            {
                "kind": "mail",
                "to": "record",
                "address": "",
                "subject": _("Welcome, {name}"),
                "body": _("Hi {name},\n\nThank you for your interest. {owner} will call you in the next few days."),
            },
            _task(_("Onboarding call with {name}"), days=2),
            {"kind": "wait", "amount": 7, "unit": "days"},
            {"kind": "branch", "condition": "lifecycle_stage = qualified"},
            {"kind": "notify", "who": "record_owner", "text": _("Qualified for a week with no progress.")},
            {"kind": "end"},
        ),
        icon="hand",
    )
)
# Source 002: when a contact churns, a win-back campaign is created.
ship(
    Shipped(
        "win_back",
        _("Win-back"),
        _("When a customer churns, create a draft win-back campaign for all churned customers."),
        {"kind": "transition", "entity": "contact", "to": "lifecycle_stage=churned"},
        ({"kind": "campaign", "name": _("Win-back: {name}"), "type": "email", "segment": "churned-customers"},),
        icon="megaphone",
    )
)
ship(
    Shipped(
        "escalation",
        _("First-contact SLA escalation"),
        _("When a first-contact SLA is breached, create a task for the owner and notify managers."),
        {"kind": "event", "entity": "lead", "event": "lead.overdue"},
        (
            _task(_("First contact with {name} is overdue"), days=0),
            {"kind": "notify", "who": "managers", "text": _("First contact wasn’t made in time.")},
        ),
        icon="alarm-clock",
    )
)
ship(
    Shipped(
        "stale_opportunity",
        _("Stalled opportunity"),
        _("When an open opportunity stays in one stage for 30 days, create a task for its owner."),
        {"kind": "date", "entity": "opportunity", "field": "stage_since", "days": 30},
        (_task(_("Advance or close {name}"), priority="normal", days=3),),
        condition="stage in (prospecting, qualification, proposal, negotiation)",  # not a text
        icon="hourglass",
    )
)
ship(
    Shipped(
        "silent_customer",
        _("Customer without activity"),
        _("When a customer has no activity for 60 days, create a task for the owner."),
        {"kind": "date", "entity": "contact", "field": "last_activity", "days": 60},
        (_task(_("Get in touch with {name}"), priority="normal", days=7),),
        condition="lifecycle_stage = customer",
        icon="phone",
    )
)
