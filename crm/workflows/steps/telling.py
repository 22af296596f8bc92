"""Outward steps: notifications to members, emails, and webhooks."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from contacts.axes import STATUS
from contacts.models import Contact
from contacts.suppression import SHOWN, is_suppressed
from contacts.verbs.log import log
from crm.entities.placeholders import PLACE
from crm.kit import formats
from crm.kit.actor import Role, system
from crm.kit.errors import Invalid, Refused
from crm.kit.outgoing import check_url
from crm.kit.site import site
from crm.kit.translation import gettext, ngettext, pgettext_lazy
from crm.kit.translation import gettext_lazy as _
from crm.notifications.kinds import NotificationKind
from crm.notifications.kinds import register as register_news
from crm.notifications.notify import NewNotification, notify
from crm.users.models import Membership
from crm.workflows.params import Param, Values
from crm.workflows.steps import Context, Result, StepFailed, StepKind, register
from crm.workflows.steps.records import RECORD_OWNER, assignees, member_of
from crm.workflows.webhooks import send_webhook

MANAGERS = "managers"
LONGEST_TEXT = 200
TOLD = register_news(
    NotificationKind(
        "workflow",
        _("A workflow notifies me"),
        "workflow",
        _("A workflow flagged {record} for you"),
        _("You’re receiving this because a workflow is set up to notify you."),
        unseen=_("A workflow flagged a record for you"),
    )
)


def _recipients(context: Context, who: str) -> list[int]:
    if who != MANAGERS:
        return [pk for pk in [member_of(context, who)] if pk]
    managers = Membership.objects.active().filter(role__in=(Role.MANAGER, Role.ADMIN))
    return list(managers.order_by("pk").values_list("pk", flat=True))


def _audience(entity: str) -> list[tuple[str, str]]:
    return [*assignees(entity), (MANAGERS, _("All managers"))]


def _notify(context: Context, values: Values) -> Result:
    told = _recipients(context, values["who"])
    about = (context.entity, context.run.record_id, context.key, context.now)
    news = [NewNotification(pk, *about, text=values.get("text", "")) for pk in told]
    # As the system: the workflow's owner is notified too.
    notify(TOLD, news, by=system(context.by.workspace_id))
    decided = ngettext("Notified {count} person", "Notified {count} people", len(told))
    return Result(decided.format(count=formats.number(len(told))))


def _check_text(values: Values, entity: str) -> None:
    if len(values["text"]) > LONGEST_TEXT:
        sentence = ngettext("Up to {count} character.", "Up to {count} characters.", LONGEST_TEXT)
        raise Invalid({"text": sentence.format(count=formats.number(LONGEST_TEXT))})


def _notification(values: Values, entity: str) -> str:
    whom = dict(_audience(entity)).get(values["who"], values["who"])
    sentence = gettext("Notify {who}: “{text}”") if values.get("text") else gettext("Notify {who}")
    return sentence.format(who=whom, text=values.get("text"))


register(
    StepKind(
        "notify",
        _("Send notification"),
        "bell",
        (
            Param("who", _("Recipient"), "select", _audience, default=RECORD_OWNER),
            Param(
                "text",
                _("Message"),
                required=False,
                help=_("The record’s name and link are added automatically."),
            ),
        ),
        sentence=_notification,
        perform=_notify,
        check=_check_text,
    )
)

TO_RECORD, TO_ADDRESS = "record", "address"


def _to(entity: str) -> list[tuple[str, str]]:
    person = [] if entity == "company" else [(TO_RECORD, _("Contact"))]
    return [*person, *assignees(entity), (TO_ADDRESS, _("Other address"))]


def _check_address(values: Values, entity: str) -> None:
    if values["to"] == TO_ADDRESS:
        try:
            validate_email(values["address"])
        except ValidationError:
            raise Invalid({"address": gettext("Enter an email address.")}) from None


def _contact(context: Context) -> Contact | None:
    return Contact.objects.live().filter(pk=context.about().get("contact_id")).first()


def _address(context: Context, values: Values) -> str:
    """Return an email's recipient. Raises Refused for a contact without an address or on the suppression list."""
    if values["to"] == TO_ADDRESS:
        if is_suppressed(values["address"]):
            sentence = gettext("{address} is suppressed, so no email was sent.")
            raise Refused(sentence.format(address=values["address"]))
        return values["address"]
    if values["to"] != TO_RECORD:
        return Membership.objects.select_related("user").get(pk=member_of(context, values["to"])).user.email
    contact = _contact(context)
    if contact is None or not contact.email:
        raise Refused(gettext("There is no email address to send to."))
    if contact.status in SHOWN or is_suppressed(contact.email):
        sentence = gettext("{contact} can’t be emailed. Status: {status}.")
        raise Refused(sentence.format(contact=contact, status=STATUS.value(contact.status).label))
    return contact.email


def _letter(context: Context, values: Values) -> tuple[str, str]:
    return " ".join(context.fill(values["subject"]).split())[:200], context.fill(values["body"])


def _mail(context: Context, values: Values) -> Result:
    to, (subject, body) = _address(context, values), _letter(context, values)
    headers = {"Message-ID": f"<{context.key}@{urlsplit(site()).hostname}>"}
    EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [to], headers=headers).send()
    return Result(gettext("Sent “{subject}” to {to}").format(subject=subject, to=to), changed=values["to"] == TO_RECORD)


def _mail_sentence(values: Values, entity: str) -> str:
    known = dict(_to(entity)).get(values["to"], values["to"])
    to = values["address"] if values["to"] == TO_ADDRESS else known
    return gettext("Send “{subject}” to {to}").format(subject=values["subject"], to=to)


def _keep_letter(context: Context, values: Values) -> None:
    """Log an email to a contact in their timeline."""
    contact = _contact(context) if values["to"] == TO_RECORD else None
    if contact:
        subject, body = _letter(context, values)
        activity = {"kind": "email", "subject": subject, "body": body, "contact_id": contact.pk}
        log([activity | {"sender": settings.DEFAULT_FROM_EMAIL[:254], "recipients": contact.email}], by=context.by)


register(
    StepKind(
        "mail",
        _("Send email"),
        "mail",
        (
            Param("to", pgettext_lazy("email", "To"), "select", _to),
            Param("address", _("Email address"), required=False, help=_("Only for “Other address”.")),
            Param("subject", _("Subject"), "template"),
            Param("body", _("Body"), "long", help=_("Use {first_name}, {company.name} etc. to insert fields.")),
        ),
        sentence=_mail_sentence,
        perform=_mail,
        check=_check_address,
        outward=True,
        afterwards=_keep_letter,
    )
)


def _check_url(values: Values, entity: str) -> None:
    try:
        check_url(values["url"])
    except Refused as error:
        raise Invalid({"url": str(error)}) from None
    if PLACE.search(values["url"]):
        raise Invalid({"url": gettext("Enter a URL without fields in { }.")})


def _call(context: Context, values: Values) -> Result:
    run, record = context.run, context.record
    about = {"type": run.entity, "id": record.public_id, "name": str(record)}
    about["url"] = f"{site()}{record.get_absolute_url()}"
    content = {"workflow": run.workflow.name, "run": run.public_id, "event": run.event, "record": about}
    try:
        status = send_webhook(values["url"], run.workflow, context.key, content | {"changes": run.seen})
    except Refused as error:  # no rule of ours: the address or the receiver must be fixed
        raise StepFailed(str(error)) from None
    return Result(gettext("Response: {status}").format(status=status))


register(
    StepKind(
        "webhook",
        _("Send webhook"),
        "webhook",
        (
            Param(
                "url",
                _("Endpoint"),
                help=_("A URL that starts with https://. Requests are signed with the workflow’s secret."),
            ),
        ),
        sentence=lambda values, entity: gettext("Send webhook to {host}").format(
            host=urlsplit(values["url"]).hostname or values["url"]
        ),
        perform=_call,
        check=_check_url,
        outward=True,
    )
)
