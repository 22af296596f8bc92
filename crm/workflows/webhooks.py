"""Webhooks, outgoing and incoming, signed per Standard Webhooks and sent only to the public internet.

Why: docs/decisions/0018-webhooks-to-the-public-internet.md
"""

import base64
import hmac
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac

from crm.kit.errors import Refused
from crm.kit.outgoing import Call, Unreachable, check_url, send
from crm.kit.translation import gettext as _
from crm.workflows.models import Workflow

LARGEST = 64 * 1024  # bytes of an incoming message
WINDOW = 300  # seconds of tolerated clock difference


def secret(workflow: Workflow, generation: int) -> str:
    """Return a webhook secret for display: whsec_…, derived from SECRET_KEY, stored in no table."""
    return f"whsec_{base64.b64encode(_key(workflow, generation)).decode()}"


def _key(workflow: Workflow, generation: int) -> bytes:
    name = f"{workflow.public_id} {generation}"
    return salted_hmac("crm.workflows.webhooks", name, algorithm="sha256").digest()


def generations(workflow: Workflow) -> list[int]:
    """Return the valid secrets' generations: the current one and, for the changeover, the previous one."""
    return [number for number in (workflow.generation, workflow.generation - 1) if number > 0]


def signature(workflow: Workflow, generation: int, message: str, timestamp: int, body: bytes) -> str:
    """Return v1,<base64> over id, time and body."""
    signed = f"{message}.{timestamp}.".encode() + body
    digest = hmac.digest(_key(workflow, generation), signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def verify(workflow: Workflow, headers: Mapping[str, str], body: bytes) -> str:
    """Return the id of a message signed with one of the workflow's secrets within the window.

    Raises Refused with a message for the sender's developer.
    """
    message, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message or len(message) > 80 or not re.fullmatch("[0-9]{1,15}", timestamp):
        raise Refused(_("Send the headers webhook-id, webhook-timestamp and webhook-signature."))
    if abs(time.time() - int(timestamp)) > WINDOW:
        raise Refused(_("The timestamp is off by more than five minutes."))
    known = [signature(workflow, number, message, int(timestamp), body) for number in generations(workflow)]
    given = headers.get("webhook-signature", "").split(" ")[:5]
    # Every pair is compared, so that timing reveals no match.
    if not sum(constant_time_compare(mine, theirs) for mine in known for theirs in given):
        raise Refused(_("The signature does not match."))
    return message


def send_webhook(url: str, workflow: Workflow, message: str, content: Mapping[str, Any]) -> int:
    """POST `content` as signed JSON under the id `message`; return the success status.

    Raises Refused for a forbidden address or a permanent error, Unreachable for a transient one.
    """
    parts, body, now = check_url(url), json.dumps(content).encode(), int(time.time())
    signed = [signature(workflow, number, message, now, body) for number in generations(workflow)]
    headers = {"content-type": "application/json", "user-agent": "Throughline", "webhook-id": message}
    headers |= {"webhook-timestamp": str(now), "webhook-signature": " ".join(signed)}
    status = send(Call("POST", parts, body, headers)).status
    if 200 <= status < 300:
        return status
    if status in (408, 425, 429) or status >= 500:
        raise Unreachable(_("The server responded with {status}.").format(status=status))
    raise Refused(_("The server responded with {status}.").format(status=status))


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parse a received JSON object. Raises Refused."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(_("Send a JSON object."))
    return found
