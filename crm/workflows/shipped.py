"""Workflows to begin with: nothing happens by them until somebody takes one over and switches it on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.kit.registry import Registry


@dataclass(frozen=True)
class Shipped:
    """A workflow as an app proposes it; fields as a definition has them."""

    name: str
    title: str
    about: str
    trigger: dict[str, Any]
    steps: Sequence[dict[str, Any]]
    condition: str = ""
    icon: str = field(default="workflow")


_shipped: Registry[Shipped] = Registry("shipped workflow")


def ship(workflow: Shipped) -> None:
    """Offer a workflow. Raises ValueError for a name that is taken."""
    _shipped.add(workflow.name, workflow)


def all_shipped() -> list[Shipped]:
    return list(_shipped)


def shipped_named(name: str) -> Shipped | None:
    """The one called `name`, None for any other word."""
    return _shipped.get(name)


def _task(subject: str, **values: Any) -> dict[str, Any]:
    task = {"kind": "activity", "activity": "task", "subject": subject, "body": "", "priority": "high", "days": ""}
    return task | {"who": "record_owner"} | values


QUALIFIED = {"kind": "transition", "entity": "contact", "to": "lifecycle_stage=qualified"}

# Source 002: Contact.qualified creates a deal and an activity.
ship(
    Shipped(
        "inbound",
        "Qualified: opportunity and follow-up",
        "Whoever becomes Qualified gets an opportunity at Prospecting, and their owner a task.",
        QUALIFIED,
        (
            {
                "kind": "opportunity",
                "name": "{name} - Inbound",
                "amount": 12_000,
                "stage": "prospecting",
                "days": "",
                "who": "record_owner",
            },
            _task("Follow up with {name}"),
        ),
        icon="circle-dollar-sign",
    )
)
ship(
    Shipped(
        "onboarding",
        "Onboarding",
        "A welcome by mail and a call for whoever becomes Qualified; a week later a reminder if nothing came of it.",
        QUALIFIED,
        (
            {
                "kind": "mail",
                "to": "record",
                "address": "",
                "subject": "Welcome, {name}",
                "body": "Dear {name},\n\nthank you for your interest. {owner} will call you in the next days.",
            },
            _task("Onboarding call with {name}", days=2),
            {"kind": "wait", "amount": 7, "unit": "days"},
            {"kind": "branch", "condition": "lifecycle_stage = qualified"},
            {"kind": "notify", "who": "record_owner", "text": "Qualified for a week, and still where they were."},
            {"kind": "end"},
        ),
        icon="hand",
    )
)
# Source 002: when a contact churns, a win-back campaign is created.
ship(
    Shipped(
        "win_back",
        "Win-back",
        "Whoever churns gives rise to an e-mail campaign for all churned customers: a draft, to be written and sent.",
        {"kind": "transition", "entity": "contact", "to": "lifecycle_stage=churned"},
        ({"kind": "campaign", "name": "Win-back: {name}", "type": "email", "segment": "churned-customers"},),
        icon="megaphone",
    )
)
ship(
    Shipped(
        "escalation",
        "Deadline escalation",
        "A first contact that nobody made in time becomes a task for the owner, and the managers are told.",
        {"kind": "event", "entity": "lead", "event": "lead.overdue"},
        (
            _task("First contact with {name} is overdue", days=0),
            {"kind": "notify", "who": "managers", "text": "Nobody has made the first contact in time."},
        ),
        icon="alarm-clock",
    )
)
ship(
    Shipped(
        "stale_opportunity",
        "Stale opportunity",
        "An open opportunity that has stood at one stage for 30 days becomes a task for its owner.",
        {"kind": "date", "entity": "opportunity", "field": "stage_since", "days": 30},
        (_task("Move {name} on, or close it", priority="normal", days=3),),
        condition="stage in (prospecting, qualification, proposal, negotiation)",
        icon="hourglass",
    )
)
ship(
    Shipped(
        "silent_customer",
        "Customer without activity",
        "A customer with whom nothing has happened for 60 days becomes a task for their owner.",
        {"kind": "date", "entity": "contact", "field": "last_activity", "days": 60},
        (_task("Get in touch with {name}", priority="normal", days=7),),
        condition="lifecycle_stage = customer",
        icon="phone",
    )
)
