"""Contact and company as entities: each field declared once, for lists, forms, conditions, import and the API."""

from audit.values import model_field
from contacts.axes import LIFECYCLE, STATUS
from contacts.engagement import KINDS
from contacts.models import Activity, Contact
from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity


def _choices(name: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, label) for value, label in model_field(Contact, name).flatchoices)


def _of_activity(name: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, label) for value, label in model_field(Activity, name).flatchoices)


SHARED = (
    Field("owner", "Owner", T.USER),
    Field("team", "Team", T.TEAM),
    Field("external_id", "External ID", T.TEXT, api="externalId"),
    Field("created_at", "Created", T.DATETIME, api="createdAt", editable=False),
    Field("updated_at", "Updated", T.DATETIME, api="updatedAt", editable=False),
)

COMPANY = Entity("company", "contacts.Company", "Company", "Companies", "org")
COMPANY.add(
    Field("name", "Name", T.TEXT, required=True, sort="name_key", folded="name_key"),
    Field("domain", "Domain", T.TEXT),
    Field("website", "Website", T.URL),
    Field("industry", "Industry", T.TEXT),
    Field("employees", "Employees", T.NUMBER),
    Field("phone", "Phone", T.PHONE),
    Field("street", "Street", T.TEXT),
    Field("city", "City", T.TEXT),
    Field("country", "Country", T.TEXT, help="Two letters, as in DE or AE"),
    Field("description", "Description", T.LONG_TEXT),
    Field("contacts", "People", T.MANY, target="contact", editable=False),
    *SHARED,
)

CONTACT = Entity("contact", "contacts.Contact", "Contact", "Contacts", "contact")
CONTACT.add(
    Field("name", "Name", T.TEXT, required=True, sort="name_key", folded="name_key"),
    Field("first_name", "First name", T.TEXT, api="firstName"),
    Field("last_name", "Last name", T.TEXT, api="lastName"),
    Field(
        "lifecycle_stage",
        "Lifecycle Stage",
        T.SELECT,
        api="stage",
        choices=LIFECYCLE.values,
        editable=False,
    ),
    Field("email", "E-mail", T.EMAIL, aliases=("mail", "email address")),
    Field("phone", "Phone", T.PHONE),
    Field("mobile", "Mobile", T.PHONE),
    Field("title", "Title", T.TEXT, aliases=("job title",)),
    Field("department", "Department", T.TEXT),
    Field("company", "Company", T.LINK, api="organization", target="company"),
    Field("role", "Role", T.SELECT, choices=_choices("role")),
    Field("status", "Status", T.SELECT, choices=STATUS.values, aliases=("reachable",)),
    Field("source", "Source", T.TEXT),
    Field(
        "preferred_channel",
        "Preferred channel",
        T.SELECT,
        api="preferredChannel",
        choices=_choices("preferred_channel"),
    ),
    Field("timezone", "Time zone", T.TEXT, help="An IANA name, as in Europe/Madrid"),
    Field("language", "Language", T.TEXT, help="A code, as in es or pt-BR"),
    Field("manager", "Reports to", T.LINK, target="contact"),
    Field("reports", "Direct reports", T.MANY, target="contact", editable=False),
    Field("linkedin_url", "LinkedIn", T.URL, api="linkedinUrl"),
    Field("twitter_handle", "Twitter", T.TEXT, api="twitterHandle"),
    Field("marketing_consent", "Marketing consent", T.TEXT, api="marketingConsent"),
    Field("notes", "Notes", T.LONG_TEXT),
    Field("last_activity", "Last activity", T.DATETIME, api="lastActivity", editable=False, sort="last_activity"),
    Field("last_engagement", "Last engagement", T.DATETIME, api="lastEngagement", editable=False),
    *SHARED,
)

# Activities have no list of their own yet: declared so that the timeline names their fields and values.
ACTIVITY = Entity("activity", "contacts.Activity", "Activity", "Activities", "activity", title="subject")
ACTIVITY.add(
    Field("kind", "Type", T.SELECT, choices=_of_activity("kind"), editable=False),
    Field("subject", "Subject", T.TEXT, required=True),
    Field("body", "Text", T.LONG_TEXT),
    Field("contact", "Contact", T.LINK, target="contact", editable=False),
    Field("company", "Company", T.LINK, target="company", editable=False),
    Field("owner", "Owner", T.USER),
    Field("assignee", "Assignee", T.USER),
    Field("status", "Status", T.SELECT, choices=_of_activity("status")),
    Field("priority", "Priority", T.SELECT, choices=_of_activity("priority")),
    Field("due_at", "Due", T.DATETIME, api="dueAt", due=True),
    Field("occurred_at", "Occurred at", T.DATETIME, api="occurredAt"),
    Field("outcome", "Outcome", T.SELECT, choices=_of_activity("outcome")),
    Field("minutes", "Minutes", T.NUMBER),
    Field("sender", "From", T.TEXT),
    Field("recipients", "To", T.TEXT),
    Field("created_at", "Recorded at", T.DATETIME, api="recordedAt", editable=False),
)

# Not a record with pages: what a file of events may hold.
ENGAGEMENT = Entity("engagement", "contacts.EngagementEvent", "Event", "Events", "event", title="kind")
ENGAGEMENT.add(
    Field("external_id", "External ID", T.TEXT, api="externalId", path="contact__external_id", editable=False),
    Field("email", "E-mail", T.EMAIL, path="contact__email", editable=False),
    Field(
        "kind",
        "Kind",
        T.SELECT,
        choices=tuple(Choice(kind, told.label) for kind, told in KINDS.items()),
        aliases=("event", "event type", "type"),
        editable=False,
    ),
    Field(
        "occurred_at",
        "Occurred at",
        T.DATETIME,
        api="occurredAt",
        aliases=("date", "time", "timestamp"),
        editable=False,
    ),
)
