"""Every URL of the product: how to call it, allowed roles (RELIABILITY S1, S4), and whether it is a page.

One entry per route, by name. A missing route fails the tests: add a line with its arguments from the objects of
tests/security/world.py, the lowest role for GET and POST (None: no such method), a body that the POST accepts, and its
refusal. The GET response is a page, checked by tests/browser/test_every_page.py, unless the line says otherwise.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from django.urls import URLPattern, get_resolver, reverse

from crm.kit.actor import Role
from crm.records.registry import RECORD_TYPES
from tests.installed import legacy_leads
from tests.security.world import people, picture

Objects = SimpleNamespace
VIEWER, REP, MANAGER, ADMIN = Role


@dataclass(frozen=True)
class Route:
    """How to call one URL. `args`: from the caller's own objects, or a stranger's, to the URL's arguments.

    `refused`: the status for a role that is too low. `foreign`: the status for an object of another workspace or team;
    other than 404 only if missing objects get the same. `missing`: arguments that match nothing. `public`: no sign-in
    needed. `page`: False if GET returns a file, a fragment or a redirect.
    """

    get: Role | None = VIEWER
    post: Role | None = None
    args: Callable[[Objects], tuple] | None = None
    data: Callable[[Objects], dict[str, Any]] = lambda own: {}
    query: str = ""
    refused: int = 403
    foreign: tuple[int, ...] = (404,)
    missing: tuple = ()
    public: bool = False
    page: bool = True
    by_team: bool = False  # another team's object is as invisible
    answers: tuple[int, ...] = (200, 204, 302)
    kwargs: dict[str, Any] = field(default_factory=dict)


def contact(own):
    return (own.contact.public_id,)


def company(own):
    return (own.company.public_id,)


def task(own):
    return (own.task.public_id,)


def opportunity(own):
    return (own.opportunity.public_id,)


def lead(own):
    return (own.lead.public_id,)


def file(own):
    return (own.file.public_id,)


KINDS = [kind.entity.name for kind in RECORD_TYPES.values() if kind.entity.name != "contact"]
VIEW = {"contact": "view"} | {kind: f"{kind}_view" for kind in [*KINDS, "activity"]}
TRASHED = {"contact": "trashed"} | {kind: f"trashed_{kind}" for kind in KINDS}


def of(entity: str):
    return lambda own: (getattr(own, entity).public_id,)


def record(entity: str, get=VIEWER, post=None, **options) -> Route:
    """Return a route of one contact, company or opportunity."""
    missing = (f"{RECORD_TYPES[entity].entity.prefix}_000000000",)
    options = {"args": of(entity), "missing": missing, "by_team": True, "refused": 409} | options
    return Route(get, post, **options)


def _of_provider(get: Role, post: Role | None = None, **options) -> Route:
    """Return a route of a workspace's sign-in provider."""
    args = {"args": lambda own: (own.provider.public_id,), "missing": ("sso_000000000",)}
    return Route(get, post, answers=(302, 404), page=False, **args, **options)


def _files(entity: str, run: str) -> dict[str, Route]:
    """Return the routes of an entity's files; imports are visible to their author and managers."""
    one = {"args": lambda own: (getattr(own, run).public_id,), "missing": ("import_000000000",), "by_team": True}
    return {
        f"{entity}_import": Route(REP, REP, data=lambda own: {"file": people(own.mark)}),
        f"{entity}_import_run": Route(REP, REP, refused=403, **one),
        f"{entity}_import_refused": Route(REP, None, refused=404, page=False, **one),
        f"{entity}_export": Route(page=False),
    }


def _edited(entity: str):
    def data(own):
        same = {"name": f"{own.mark} again", "base-name": getattr(own, entity).name}
        return same | kept(own)

    def kept(own):
        if entity == "legacy_lead":
            return {"status": "new", "base-status": "new", "currency": "EUR", "base-currency": "EUR"}
        if entity == "contact":
            return {"status": "active", "base-status": "active"}
        if entity == "company":
            return {}
        seen = {"contact": own.contact.public_id, "currency": "EUR", "probability": "10%"}
        return seen | {f"base-{key}": value for key, value in seen.items()}

    return data


def _new(entity: str):
    def data(own):
        whose = {"contact": own.contact.public_id} if entity == "opportunity" else {}
        return {"name": "Somebody New"} | whose

    return data


def _attached(get=VIEWER, post=None, **options) -> Route:
    """Return a route of a file of the caller's own contact."""
    return Route(get, post, args=file, missing=("file_000000000",), by_team=True, refused=409, **options)


def _list(entity: str) -> dict[str, Route]:
    """Return the routes of every list (crm/lists/urls.py)."""
    view = VIEW[entity]
    return {
        f"{entity}_list": Route(),
        f"{entity}_count": Route(),
        f"{entity}_bulk": Route(
            None,
            REP,
            data=lambda own: {"action": "assign", "selected": of(entity)(own)},
            refused=404,
        ),
        f"{entity}_filter": Route(query="field=source" if entity == "lead" else "field=name"),
        f"{entity}_narrow": Route(),
        f"{entity}_columns": Route(),
        f"{entity}_save_view": Route(VIEWER, VIEWER, query="sort=name", data=lambda own: {"name": "Another"}),
        f"{entity}_delete_view": Route(
            None, MANAGER, args=lambda own: (getattr(own, view).slug,), missing=("nothing",), foreign=(409,)
        ),
    }


def _lists(entity: str) -> dict[str, Route]:
    """Return those, and the routes of its records (contacts/urls.py)."""
    trashed = TRASHED[entity]
    return _list(entity) | {
        f"{entity}_new": Route(VIEWER, REP, data=_new(entity)),
        f"{entity}_edit": record(entity, VIEWER, REP, data=_edited(entity), refused=422),
        f"{entity}_field": record(
            entity,
            REP,
            REP,
            args=lambda own: (*of(entity)(own), "name"),
            missing=(f"{RECORD_TYPES[entity].entity.prefix}_000000000", "name"),
            data=lambda own: {"name": "Renamed", "base-name": getattr(own, entity).name},
        ),
        f"{entity}_timeline": record(entity),
        f"{entity}_activity": record(
            entity, None, REP, data=lambda own: {"kind": "note", "subject": "Met", "priority": "normal"}, refused=403
        ),
        f"{entity}_delete": record(entity, VIEWER, REP, data=lambda own: {"reason": "Twice"}),
        f"{entity}_restore": record(entity, None, REP, args=lambda own: (getattr(own, trashed).public_id,)),
        entity: record(entity),
    }


def _exception(get: Role | None, post: Role) -> Route:
    """Return a route of the exception on the caller's own contact."""
    until = (date.today() + timedelta(days=3)).isoformat()
    return Route(
        get,
        post,
        args=lambda own: ("contact_unowned", own.contact.public_id),
        missing=("contact_unowned", "contact_000000000"),
        data=lambda own: {"reason": "Known", "until": until},
        by_team=True,
        refused=409,
    )


def _rule(own) -> dict[str, Any]:
    rule = {"name": "Web", "condition": "source = web", "people": own.member.pk, "method": "round_robin"}
    return rule | {"position": 1, "is_active": "on"}


def _of_workflow(get: Role | None = None, post: Role | None = None, **options) -> Route:
    """Return a route of the workspace's own workflow, or its run."""
    about = {"args": lambda own: (own.workflow.public_id,), "missing": ("flow_000000000",)}
    return Route(get, post, **(about | options))


def _of_campaign(get: Role | None = None, post: Role | None = None, **options) -> Route:
    """Return a route of the workspace's own campaign, a draft."""
    about = {"args": lambda own: (own.campaign.public_id,), "missing": ("campaign_000000000",)}
    return Route(get, post, **(about | options))


def _campaign(own) -> dict[str, Any]:
    return {"name": "Another", "segment": "all", "owner": own.workflow.owner_id, "subject": "S", "body": "B"}


def _run(own) -> tuple:
    return (own.workflow_run.public_id,)


def _of_field(get: Role | None, post: Role, **options) -> Route:
    """A route of the workspace's own custom field."""
    return Route(get, post, args=lambda own: (own.field.pk,), missing=(999999,), **options)


def _field(label: str) -> dict[str, Any]:
    return {"label": label, "type": "text", "option-TOTAL_FORMS": 0, "option-INITIAL_FORMS": 0}


def _guard(own) -> dict[str, Any]:
    return {"verb": "contact.win", "condition": "title is not empty", "message": "Title needed", "position": 0}


def _of_pipeline(*roles, **more) -> Route:
    return Route(*roles, args=lambda own: (own.pipeline.key,), missing=("nothing",), **more)


def _of_stage(*roles, **more) -> Route:
    return Route(*roles, args=lambda own: (own.pipeline.key, own.stage.key), missing=("nothing", "nothing"), **more)


def _pipeline(own) -> dict[str, Any]:
    return {"name": own.pipeline.name, "stage-TOTAL_FORMS": 0, "stage-INITIAL_FORMS": 0}


def _workflow(own) -> dict[str, Any]:
    facts = {"name": "Another", "owner": own.workflow.owner_id, "trigger-kind": "manual", "trigger-entity": "contact"}
    step = {"kind": "change_field", "field": "title", "value": "CEO"}
    return facts | {"condition": "", "steps": 1, "do": "save"} | {f"step-0-{key}": step[key] for key in step}


def moves() -> dict[str, Role]:
    """Return the lifecycle verbs from Lead, with their role in the table of moves."""
    from contacts.axes import LIFECYCLE

    return {step.verb: step.role for step in LIFECYCLE.moves}


def _admin(model: str, one: Callable[[Objects], Any], add: bool = False, change: bool = True) -> dict[str, Route]:
    """Return the admin's pages of one model, which redirect to its index for missing objects."""
    args = {"args": lambda own: (one(own).pk,), "missing": (999999,), "foreign": (302, 403)}
    refused = {"refused": 302}
    return {
        f"admin:{model}_changelist": Route(ADMIN, **refused),
        f"admin:{model}_add": Route(ADMIN if add else None, **refused),
        f"admin:{model}_change": Route(ADMIN, **args, **refused),
        f"admin:{model}_history": Route(ADMIN, **args, **refused),
        f"admin:{model}_delete": Route(None, **args),
        f"admin/{'/'.join(model.rsplit('_', 1))}/<path:object_id>/": Route(ADMIN, **args, **refused),
    }


MATRIX: dict[str, Route] = {
    "home": Route(),
    "search": Route(query="q=mark"),
    "options": Route(query="entity=contact&q=mark", page=False),
    # Reports whether anything was undone: test_undo.py asserts the effect.
    "undo": Route(
        None,
        VIEWER,
        args=lambda own: (own.change,),
        missing=("00000000-0000-4000-8000-000000000000",),
        foreign=(302,),
        by_team=True,
    ),
    # The undo of a large change, for its author and managers.
    "undo_progress": Route(
        REP,
        args=lambda own: (own.change,),
        missing=("00000000-0000-4000-8000-000000000000",),
        refused=404,
        by_team=True,
    ),
    **_lists("contact"),
    **_lists("company"),
    **_lists("opportunity"),
    **(legacy_leads.routes(sys.modules[__name__]) if legacy_leads else {}),
    "opportunity_board": Route(query="view=all"),
    "opportunity_move": record(
        "opportunity",
        VIEWER,
        REP,
        args=lambda own: (own.opportunity.public_id, "win"),
        missing=("opp_000000000", "win"),
        refused=403,
    ),
    **{
        f"{kind}_files": record(kind, VIEWER, REP, data=lambda own: {"files": picture()})
        for kind in ("contact", "company", "lead", "opportunity")
    },
    "activity_files": Route(
        VIEWER,
        REP,
        args=task,
        missing=("activity_000000000",),
        data=lambda own: {"files": picture()},
        refused=409,
        by_team=True,
    ),
    "attachment": _attached(VIEWER, REP, data=lambda own: {"name": "Another.png"}),
    "attachment_download": _attached(page=False),
    "attachment_preview": _attached(page=False),
    "attachment_delete": _attached(None, REP),
    "file_settings": Route(ADMIN, ADMIN),
    **_files("contact", "run"),
    **_files("company", "company_run"),
    **_files("opportunity", "opportunity_run"),
    "contact_avatar": record("contact", VIEWER, REP, data=lambda own: {"avatar": picture()}, page=False),
    "contact_merge": record("contact", VIEWER, REP, data=lambda own: {"other": own.duplicate.public_id}),
    "company_merge": record("company", VIEWER, REP, data=lambda own: {"other": own.duplicate_company.public_id}),
    "free_mail": Route(ADMIN, ADMIN, data=lambda own: {"domains": "isp.example"}),
    "contact_primary": record("contact", None, REP, data=lambda own: {"address": own.contact.email}, page=False),
    "contact_suppression": record(
        "contact",
        VIEWER,
        ADMIN,
        data=lambda own: {"reason": "Asked"},
        refused=403,
        answers=(200, 409),  # test_suppression.py asserts the effect on a suppressed one
    ),
    "contact_move": record(
        "contact",
        VIEWER,
        REP,
        args=lambda own: (own.contact.public_id, "qualify"),
        missing=("contact_000000000", "qualify"),
        data=lambda own: {"reason": "Because"},
        refused=403,
    ),
    **_list("lead"),
    "lead_board": Route(query="view=all"),
    "lead_export": Route(page=False),
    "exceptions": Route(),
    "lifecycle": Route(),
    "stage_definition": Route(
        VIEWER,
        ADMIN,
        kwargs={"entity": "contact", "axis": "lifecycle_stage", "value": "lead"},
        data=lambda own: {"meaning": "New", "entry": "email is not empty", "exit": "phone is not empty"},
    ),
    "stage_why": record(
        "contact",
        args=lambda own: ("contact", "lifecycle_stage", own.contact.public_id),
        missing=("contact", "lifecycle_stage", "contact_000000000"),
    ),
    "wait": record(
        "contact",
        VIEWER,
        REP,
        args=lambda own: ("contact", own.contact.public_id),
        missing=("contact", "contact_000000000"),
        data=lambda own: {"reason": "Known", "until": (date.today() + timedelta(days=3)).isoformat()},
    ),
    "dashboard": Route(query="parts=all"),
    "dashboard_part": Route(kwargs={"name": "stuck"}),
    "dashboard_table": Route(kwargs={"name": "funnel", "table": "split"}, page=False),
    "dashboard_arrange": Route(VIEWER, VIEWER, data=lambda own: {"part": "funnel"}),
    "dashboard_mail": Route(VIEWER, VIEWER, data=lambda own: {"every": "week", "days": 30}),
    "exception_waive": _exception(VIEWER, REP),
    "exception_list_again": _exception(None, REP),
    "lead": record("lead"),
    "lead_new": Route(VIEWER, REP, data=lambda own: {"contact": own.duplicate.public_id}),
    "lead_edit": record(
        "lead",
        VIEWER,
        REP,
        data=lambda own: {"source": "Else", "base-source": own.lead.source, "currency": "EUR", "base-currency": "EUR"},
        refused=422,
    ),
    "lead_field": record(
        "lead",
        REP,
        REP,
        args=lambda own: (own.lead.public_id, "source"),
        missing=("lead_000000000", "source"),
        data=lambda own: {"source": "Else", "base-source": own.lead.source},
    ),
    "lead_timeline": record("lead"),
    "lead_activity": record(
        "lead", None, REP, data=lambda own: {"kind": "note", "subject": "Met", "priority": "normal"}, refused=403
    ),
    "lead_delete": record("lead", VIEWER, REP, data=lambda own: {"reason": "Twice"}),
    "lead_restore": record("lead", None, REP, args=lambda own: (own.trashed_lead.public_id,)),
    "lead_move": record(
        "lead",
        VIEWER,
        REP,
        args=lambda own: (own.lead.public_id, "lose"),
        missing=("lead_000000000", "lose"),
        data=lambda own: {"reason": "Because"},
        refused=403,
    ),
    "lead_convert": record("lead", VIEWER, REP, data=lambda own: {"name": "Vans"}, refused=403),
    **_list("activity"),
    "activity_bulk": Route(None, REP, data=lambda own: {"action": "postpone", "selected": task(own)}, refused=404),
    "activity_filter": Route(query="field=subject"),
    "activity_save_view": Route(VIEWER, VIEWER, query="sort=subject", data=lambda own: {"name": "Another"}),
    "activity_export": Route(page=False),
    "activity_new": Route(
        VIEWER, REP, data=lambda own: {"kind": "note", "subject": "Met", "contact": own.contact.public_id}, refused=403
    ),
    "activity": Route(args=task, missing=("activity_000000000",), by_team=True),
    "activity_participants": Route(
        VIEWER,
        REP,
        args=task,
        missing=("activity_000000000",),
        data=lambda own: {"contact": own.duplicate.public_id},
        refused=422,
        by_team=True,
    ),
    "activity_participant_remove": Route(
        None,
        REP,
        args=lambda own: (own.task.public_id, own.participant.pk),
        missing=("activity_000000000", 999_999_999),
        refused=409,
        by_team=True,
    ),
    # Redirects to its page, also on refusals: test_roles.py asserts the effect.
    "activity_complete": Route(None, VIEWER, args=task, missing=("activity_000000000",), by_team=True),
    "activity_edit": Route(
        VIEWER,
        REP,
        args=task,
        missing=("activity_000000000",),
        data=lambda own: {"subject": "Another", "priority": "low"},
        refused=409,
        by_team=True,
    ),
    "activity_delete": Route(None, REP, args=task, missing=("activity_000000000",), refused=409, by_team=True),
    "lead_score": Route(args=lambda own: (own.lead.public_id,), missing=("lead_000000000",), by_team=True),
    "scoring_model": Route(MANAGER, ADMIN, data=lambda own: {"do": "try"}, answers=(200, 422)),
    "notifications": Route(query="show=all"),
    # Private: other users of any role find none.
    "notification_open": Route(
        args=lambda own: (own.notification.public_id,),
        missing=("nothing",),
        by_team=True,
        answers=(302, 404),
        page=False,
    ),
    "notifications_read": Route(None, VIEWER),
    "notifications_unread": Route(None, VIEWER, kwargs={"moment": 1}),
    "notification_settings": Route(
        VIEWER,
        VIEWER,
        data=lambda own: {
            "assigned": "bell",
            "mentioned": "mail",
            "task_due": "digest",
            "sales_qualified": "bell",
            "lead_overdue": "mail",
            "workflow": "bell",
            "workflow_paused": "mail",
        },
    ),
    "workflows": Route(ADMIN),
    "workflow_new": Route(ADMIN, ADMIN, data=_workflow),
    "guards": Route(ADMIN),
    "guard_new": Route(ADMIN, ADMIN, data=_guard),
    "guard": Route(ADMIN, ADMIN, args=lambda own: (own.guard.pk,), data=_guard, missing=(999999,)),
    "workflow": _of_workflow(ADMIN),
    "workflow_edit": _of_workflow(ADMIN, ADMIN, data=_workflow),
    "workflow_preview": _of_workflow(ADMIN),
    "workflow_switch": _of_workflow(None, ADMIN, data=lambda own: {"on": "1"}),
    "workflow_rotate": _of_workflow(None, ADMIN),
    "workflow_run": _of_workflow(MANAGER, args=_run, missing=("run_000000000",), refused=404),
    "workflow_run_retry": _of_workflow(None, ADMIN, args=_run, missing=("run_000000000",)),
    "workflow_run_cancel": _of_workflow(None, ADMIN, args=_run, missing=("run_000000000",), answers=(302, 409)),
    "workflow_start": Route(
        None,
        REP,
        args=lambda own: ("contact", own.contact.public_id),
        missing=("contact", "contact_000000000"),
        data=lambda own: {"workflow": own.workflow.public_id},
        by_team=True,
        refused=409,
    ),
    "workflow_release": Route(
        None, ADMIN, args=lambda own: ("contact", own.run.public_id), missing=("contact", "import_000000000")
    ),
    # The signature authorizes the call: without it the response is the same, with or without a workflow.
    "workflow_hook": Route(
        None,
        VIEWER,
        args=lambda own: (own.workflow.public_id,),
        missing=("flow_000000000",),
        public=True,
        foreign=(401,),
        answers=(401,),
    ),
    "campaigns": Route(),
    "campaign_new": Route(MANAGER, MANAGER, data=_campaign),
    "campaign": _of_campaign(VIEWER),
    "campaign_edit": _of_campaign(MANAGER, MANAGER, data=_campaign),
    "campaign_test": _of_campaign(None, MANAGER),
    "campaign_send": _of_campaign(MANAGER, MANAGER),
    "campaign_cancel": _of_campaign(None, MANAGER),
    "campaign_retry": _of_campaign(None, MANAGER),
    # The email's link authorizes any user: tests/campaigns/test_unsubscribing.py.
    "campaign_unsubscribe": Route(VIEWER, VIEWER, kwargs={"token": "unknown"}, public=True, answers=(404,)),
    "settings": Route(page=False),
    "profile": Route(VIEWER, VIEWER, data=lambda own: {"name": "Me", "theme": "dark", "timezone": ""}),
    "theme": Route(None, VIEWER, data=lambda own: {"theme": "dark"}),
    "security": Route(),
    "people": Route(ADMIN),
    "invite_person": Route(None, ADMIN, data=lambda own: {"email": "new@person.example", "role": "rep"}),
    "person": Route(ADMIN, ADMIN, args=lambda own: (own.member.pk,), data=lambda own: {"role": "rep"}, missing=(0,)),
    "deactivate_person": Route(None, ADMIN, args=lambda own: (own.member.pk,), missing=(0,)),
    "reactivate_person": Route(None, ADMIN, args=lambda own: (own.member.pk,), missing=(0,)),
    "withdraw_invitation": Route(None, ADMIN, args=lambda own: (own.invitation.pk,), missing=(0,)),
    "teams": Route(ADMIN, ADMIN, data=lambda own: {"name": "Another"}),
    "team": Route(ADMIN, ADMIN, args=lambda own: (own.team.pk,), data=lambda own: {"name": "Renamed"}, missing=(0,)),
    "add_to_team": Route(  # the member is in the team already
        None,
        ADMIN,
        args=lambda own: (own.team.pk,),
        data=lambda own: {"member": own.member.pk},
        missing=(0,),
        answers=(422,),
    ),
    "remove_from_team": Route(None, ADMIN, args=lambda own: (own.team.pk, own.member.pk), missing=(0, 0)),
    "archive_team": Route(
        ADMIN,
        ADMIN,
        args=lambda own: (own.team.pk,),
        data=lambda own: {"to": "none", "members_to": "none"},
        missing=(0,),
        answers=(200, 422),  # settings refer to it
    ),
    "restore_team": Route(None, ADMIN, args=lambda own: (own.team.pk,), missing=(0,)),
    "assignment": Route(ADMIN, ADMIN, data=lambda own: {"pool": own.member.pk}),
    "assignment_rule_new": Route(ADMIN, ADMIN, data=_rule),
    "assignment_rule": Route(ADMIN, ADMIN, args=lambda own: (own.rule.pk,), data=_rule, missing=(999999,)),
    "audit_log": Route(ADMIN),
    "audit_export": Route(ADMIN, page=False),
    "opportunity_people": record(
        "opportunity", REP, REP, data=lambda own: {"contact": own.duplicate.public_id, "role": "champion"}, refused=409
    ),
    "opportunity_person": Route(
        REP,
        REP,
        args=lambda own: (own.opportunity.public_id, own.person.pk),
        data=lambda own: {"do": "save", "role": "blocker"},
        missing=("opp_nothing00", 0),
        refused=409,
    ),
    "pipelines": Route(ADMIN, ADMIN, data=lambda own: {"name": "Another"}),
    "pipeline": _of_pipeline(ADMIN, ADMIN, data=_pipeline),
    "archive_pipeline": _of_pipeline(None, ADMIN),
    "restore_pipeline": _of_pipeline(None, ADMIN),
    "archive_stage": _of_stage(ADMIN, ADMIN, data=lambda own: {"to": own.other_stage.key}),
    "restore_stage": _of_stage(None, ADMIN),
    "fields": Route(ADMIN, query="entity=contact"),
    "field_new": Route(ADMIN, ADMIN, query="entity=contact", data=lambda own: _field("Another")),
    "field": _of_field(ADMIN, ADMIN, data=lambda own: _field(own.field.label)),
    "convert_field": _of_field(ADMIN, ADMIN, query="type=number", data=lambda own: {"type": "long_text"}),
    "archive_field": _of_field(None, ADMIN),
    "restore_field": _of_field(None, ADMIN),
    "first_contact": Route(ADMIN, ADMIN, data=lambda own: {"hours": 8, "opens": "09:00", "closes": "17:00"}),
    "workspace": Route(
        ADMIN, ADMIN, data=lambda own: {"name": "A", "timezone": "UTC", "language": "en", "currency": "EUR"}
    ),
    "sign_in_settings": Route(ADMIN, ADMIN, data=lambda own: {"source": "off"}),
    "workspaces": Route(),
    "open_workspace": Route(
        None, VIEWER, args=lambda own: (own.member.workspace.slug,), missing=("nothing",), foreign=(409,)
    ),
    # The token authorizes any user.
    "accept_invitation": Route(VIEWER, VIEWER, kwargs={"token": "unknown"}, public=True, answers=(404,)),
    "account_login": Route(public=True),
    "account_logout": Route(VIEWER, VIEWER),
    "account_inactive": Route(public=True),
    "account_signup": Route(public=True),
    "account_reauthenticate": Route(VIEWER, VIEWER),
    # Both redirect if no code is required. Disabled in crm/settings.py.
    "account_request_reauthentication_code": Route(VIEWER, VIEWER, answers=(302, 403), page=False),
    "account_confirm_reauthentication_code": Route(VIEWER, VIEWER, answers=(302, 403), page=False),
    "account_email": Route(VIEWER, VIEWER),
    "account_email_verification_sent": Route(public=True, page=False),
    "account_change_password": Route(VIEWER, VIEWER),
    "account_set_password": Route(VIEWER, VIEWER, page=False),
    "account_reset_password": Route(public=True),
    "account_confirm_login_code": Route(public=True, page=False),
    "account_confirm_email": Route(kwargs={"key": "unknown"}, public=True, page=False),
    "account_reset_password_from_key": Route(kwargs={"uidb36": "1", "key": "x-y"}, public=True),
    "account_reset_password_from_key_done": Route(public=True),
    "account_reset_password_done": Route(public=True),
    "mfa_index": Route(),
    "mfa_authenticate": Route(public=True, page=False),
    "mfa_reauthenticate": Route(page=False),
    "mfa_activate_totp": Route(),
    "mfa_deactivate_totp": Route(answers=(302, 404), page=False),
    "mfa_view_recovery_codes": Route(answers=(302, 404), page=False),
    "mfa_generate_recovery_codes": Route(page=False),
    "mfa_download_recovery_codes": Route(answers=(302, 404), page=False),
    "mfa_list_webauthn": Route(),
    "mfa_add_webauthn": Route(),
    "mfa_reauthenticate_webauthn": Route(page=False),
    "mfa_login_webauthn": Route(public=True, page=False),
    "mfa_remove_webauthn": Route(args=lambda own: (own.factor.pk,), missing=(0,), answers=(200, 302, 404), page=False),
    "mfa_edit_webauthn": Route(args=lambda own: (own.factor.pk,), missing=(0,), answers=(200, 302, 404), page=False),
    "usersessions_list": Route(VIEWER, VIEWER),
    "socialaccount_connections": Route(VIEWER, VIEWER),
    # Switched off, and so not there. Those that are on, which whoever knows the id may open: tests/users/oidc.
    "openid_connect_login": _of_provider(VIEWER, VIEWER, public=True),
    "openid_connect_callback": _of_provider(VIEWER, public=True),
    "openid_connect_confirm": _of_provider(VIEWER, VIEWER),
    "healthz": Route(public=True, page=False),
    "readyz": Route(public=True, page=False),
    "metrics": Route(public=True, answers=(404,), page=False),  # without its token
    "csp_report": Route(None, VIEWER, public=True),
    "admin:index": Route(ADMIN, refused=302),
    "admin:login": Route(None, public=True),
    "admin:logout": Route(None, ADMIN, refused=302),
    "admin:password_change": Route(ADMIN, refused=302),
    "admin:password_change_done": Route(ADMIN, refused=302),
    "admin:autocomplete": Route(ADMIN, refused=302, answers=(403, 404)),
    "admin:jsi18n": Route(ADMIN, refused=302),
    "admin:app_list": Route(ADMIN, kwargs={"app_label": "users"}, refused=302),
    "admin:view_on_site": Route(
        ADMIN, args=lambda own: (content_type(own.contact), own.contact.pk), missing=(999999, 1), refused=302
    ),
    "admin/(?P<url>.*)$": Route(ADMIN, kwargs={"url": "nothing"}, refused=302, answers=(404,)),
    **_admin("users_workspace", lambda own: own.member.workspace),
    **_admin("users_team", lambda own: own.team),
    **_admin("users_membership", lambda own: own.member),
    **_admin("users_invitation", lambda own: own.invitation),
    **_admin("users_user", lambda own: own.member.user),
    **_admin("audit_entry", lambda own: own.entry),
    **_admin("events_delivery", lambda own: own.delivery),
    **_admin("lifecycle_guard", lambda own: own.guard, add=True),
}


def content_type(obj) -> int:
    """Return a model's number in the admin's "view on site"."""
    from django.contrib.contenttypes.models import ContentType

    return ContentType.objects.get_for_model(obj).pk


def routes() -> Iterator[tuple[str, str]]:
    """Yield (key in the matrix, pattern) of every URL in the resolver; by pattern if unnamed."""
    yield from _walk(get_resolver().url_patterns, "", "")


def _walk(patterns, prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLPattern):
            yield (f"{namespace}{pattern.name}" if pattern.name else route), route
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, route, inner)


def url(name: str, args: tuple = ()) -> str:
    route = MATRIX[name]
    if name == "admin/(?P<url>.*)$":
        return "/admin/nothing"
    if name.endswith("/<path:object_id>/"):
        return "/" + name.replace("<path:object_id>", str(args[0]))
    address = reverse(name, args=args, kwargs=route.kwargs or None)
    return f"{address}?{route.query}" if route.query else address
