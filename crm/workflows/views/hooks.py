"""Incoming webhooks: signed messages that start a run on a record."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.kit import clock
from crm.kit.errors import Refused
from crm.kit.scope import in_workspace
from crm.kit.text import email_key
from crm.kit.translation import gettext as _
from crm.workflows.active_workflows import ActiveWorkflow, active_workflows
from crm.workflows.models import Workflow
from crm.workflows.start_runs import DueRun, matching_records, start_runs
from crm.workflows.webhooks import LARGEST, parse_json_object, verify


@csrf_exempt
@login_not_required
@require_POST
def hook(request: HttpRequest, public_id: str) -> JsonResponse:
    """Start a run on the record named by record (contact_…), external_id or email in a signed message.

    202 if accepted, also when repeated; 401 if not signed, 404 if the workflow does not listen, 422 for an unknown
    record.
    """
    workflow = Workflow.objects.unscoped().select_related("workspace").filter(public_id=public_id).first()
    try:
        body = request.read(LARGEST + 1)
        if len(body) > LARGEST:
            return JsonResponse({"detail": _("The message is too large.")}, status=413)
        message = verify(workflow or Workflow(public_id=public_id), request.headers, body)
    except Refused as error:
        return JsonResponse({"detail": str(error)}, status=401)
    if workflow is None:
        return JsonResponse({"detail": _("Workflow not found.")}, status=404)
    with in_workspace(workflow.workspace):
        return _taken(workflow, message, body)


def _taken(workflow: Workflow, message: str, body: bytes) -> JsonResponse:
    each = next((each for each in active_workflows() if each.workflow == workflow.pk), None)
    if each is None or each.trigger["kind"] != "webhook":
        return JsonResponse({"detail": _("This workflow is turned off.")}, status=404)
    try:
        content = parse_json_object(body)
        pk = _named(each, content)
    except Refused as error:
        return JsonResponse({"detail": str(error)}, status=422)
    with transaction.atomic():
        # If a message arrives twice at once, the second waits here and finds the first's run.
        Workflow.objects.select_for_update().get(pk=workflow.pk)
        start_runs([DueRun(each, pk, f"hook:{message}", "webhook", {"message": message})])
    return JsonResponse({"detail": _("Accepted.")}, status=202)


def _named(each: ActiveWorkflow, content: dict[str, Any]) -> int:
    """Return the named record if it meets the workflow's condition. Raises Refused."""
    rows = matching_records(each, clock.now())
    if isinstance(content.get("record"), str):
        rows = rows.filter(public_id=content["record"])
    elif isinstance(content.get("external_id"), str) and content["external_id"]:
        rows = rows.filter(external_id=content["external_id"])
    elif isinstance(content.get("email"), str) and content["email"] and each.entity == "contact":
        rows = rows.filter(addresses__kind="email", addresses__key=email_key(content["email"]))
    else:
        raise Refused(_("Identify the record by record, external_id or, for contacts, email."))
    pk = rows.values_list("pk", flat=True).first()
    if pk is None:
        raise Refused(_("Record not found, or it does not meet the conditions."))
    return pk
