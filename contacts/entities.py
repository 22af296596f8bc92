"""Contact and company as entities: each field declared once for lists, forms, conditions, import and API."""

from audit.values import model_field
from contacts.address_fields import COMPUTED
from contacts.axes import LIFECYCLE, STATUS
from contacts.engagement import KINDS
from contacts.models import Activity, Contact, ContactAddress
from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy


def _choices(name: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, label) for value, label in model_field(Contact, name).flatchoices)


def _of_activity(name: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, label) for value, label in model_field(Activity, name).flatchoices)


SHARED = (
    Field("owner", _("Owner"), T.USER),
    Field("team", _("Team"), T.TEAM),
    Field("external_id", _("External ID"), T.TEXT, api="externalId"),
    Field("created_at", _("Created"), T.DATETIME, api="createdAt", editable=False),
    Field("updated_at", _("Updated"), T.DATETIME, api="updatedAt", editable=False),
)

COMPANY = Entity("company", "contacts.Company", _("Company"), _("Companies"), "org")
COMPANY.add(
    Field("name", _("Name"), T.TEXT, required=True, sort="name_key", folded="name_key"),
    Field("domain", _("Domain"), T.TEXT, help=_("e.g. example.com. New contacts with such an email are linked here.")),
    Field("other_domains", _("Other domains"), T.TEXT, api="otherDomains", help=_("Separated by commas")),
    Field("website", _("Website"), T.URL),
    Field("industry", _("Industry"), T.TEXT),
    Field("employees", _("Employees"), T.NUMBER),
    Field("phone", _("Phone"), T.PHONE),
    Field("street", _("Street"), T.TEXT),
    Field("street2", _("Street, line 2"), T.TEXT),
    Field("postal_code", _("Postal code"), T.TEXT, api="postalCode", aliases=("zip code", "zip")),  # not a text
    Field("city", _("City"), T.TEXT),
    Field("region", _("State/region"), T.TEXT, aliases=("state", "province")),  # not a text
    Field("country", _("Country"), T.TEXT, help=_("Two-letter code, e.g. DE")),
    Field("parent", _("Parent company"), T.LINK, target="company", aliases=("parent account",)),  # not a text
    Field("description", _("Description"), T.LONG_TEXT),
    Field("subsidiaries", _("Subsidiaries"), T.MANY, target="company", editable=False),
    Field("contacts", _("Contacts"), T.MANY, target="contact", aliases=("people",), editable=False),
    *SHARED,
)

CONTACT = Entity("contact", "contacts.Contact", _("Contact"), _("Contacts"), "contact", stage="lifecycle_stage")
CONTACT.add(
    Field("name", _("Name"), T.TEXT, required=True, sort="name_key", folded="name_key"),
    Field("first_name", _("First name"), T.TEXT, api="firstName"),
    Field("last_name", _("Last name"), T.TEXT, api="lastName"),
    Field(
        "lifecycle_stage",
        _("Lifecycle Stage"),
        T.SELECT,
        api="stage",
        choices=LIFECYCLE.values,
        editable=False,
    ),
    Field("email", _("Email"), T.EMAIL, aliases=("mail", "e-mail", "email address")),  # not a text
    Field("email_label", _("Email label"), T.TEXT, api="emailLabel", help=_("e.g. work or home")),
    Field(
        "other_emails",
        _("Other emails"),
        T.LONG_TEXT,
        api="otherEmails",
        items=T.EMAIL,
        help=_("One per line, e.g. home: ann@example.com"),
    ),
    Field("phone", _("Phone"), T.PHONE),
    Field("phone_label", _("Phone label"), T.TEXT, api="phoneLabel", help=_("e.g. work or home")),
    Field("mobile", _("Mobile"), T.PHONE),
    Field(
        "other_phones",
        _("Other phones"),
        T.LONG_TEXT,
        api="otherPhones",
        items=T.PHONE,
        help=_("One per line, e.g. home: +34 600 100 200"),
    ),
    Field("addresses", _("Addresses"), T.MANY, target="address", editable=False),
    Field("title", pgettext_lazy("job", "Title"), T.TEXT, aliases=("job title",)),  # not a text
    Field("department", _("Department"), T.TEXT),
    Field("company", _("Company"), T.LINK, api="organization", target="company"),
    Field("role", pgettext_lazy("contact", "Role"), T.SELECT, choices=_choices("role")),
    Field("status", _("Status"), T.SELECT, choices=STATUS.values, aliases=("reachable",)),
    Field("source", _("Source"), T.TEXT),
    Field(
        "preferred_channel",
        _("Preferred channel"),
        T.SELECT,
        api="preferredChannel",
        choices=_choices("preferred_channel"),
    ),
    Field("timezone", _("Time zone"), T.TEXT, help=_("e.g. Europe/Madrid")),
    Field("language", _("Language"), T.TEXT, help=_("e.g. es or pt-BR")),
    Field("manager", _("Reports to"), T.LINK, target="contact"),
    Field("reports", _("Direct reports"), T.MANY, target="contact", editable=False),
    Field("linkedin_url", _("LinkedIn"), T.URL, api="linkedinUrl"),
    Field("twitter_handle", _("Twitter"), T.TEXT, api="twitterHandle"),
    Field("marketing_consent", _("Marketing consent"), T.TEXT, api="marketingConsent"),
    Field("notes", _("Notes"), T.LONG_TEXT),
    Field("last_activity", _("Last activity"), T.DATETIME, api="lastActivity", editable=False, sort="last_activity"),
    Field("last_engagement", _("Last engagement"), T.DATETIME, api="lastEngagement", editable=False),
    *SHARED,
    *COMPUTED,
)

# The rows of a contact's addresses: for conditions over all of them.
ADDRESS = Entity(
    "address",
    "contacts.ContactAddress",
    _("Address"),
    _("Addresses"),
    "address",
    title="value",  # not a text
)
ADDRESS.add(
    Field("value", _("Value"), T.TEXT, editable=False),
    Field(
        "kind",
        _("Type"),
        T.SELECT,
        choices=tuple(Choice(kind, label) for kind, label in ContactAddress.KINDS),
        editable=False,
    ),
    Field("label", _("Label"), T.TEXT, editable=False),
)

ACTIVITY = Entity(
    "activity",
    "contacts.Activity",
    _("Activity"),
    _("Activities"),
    "activity",
    title="subject",  # not a text
    has_initials=False,
)
ACTIVITY.add(
    Field("kind", _("Type"), T.SELECT, choices=_of_activity("kind"), editable=False),
    Field("subject", _("Subject"), T.TEXT, required=True),
    Field("body", _("Text"), T.LONG_TEXT),
    Field("contact", _("Contact"), T.LINK, target="contact", editable=False),
    Field("company", _("Company"), T.LINK, target="company", editable=False),
    Field("owner", _("Owner"), T.USER),
    Field("assignee", _("Assignee"), T.USER),
    Field("team", _("Assignee’s team"), T.TEAM, path="assignee__team", editable=False),
    Field("status", _("Status"), T.SELECT, choices=_of_activity("status")),
    Field("priority", _("Priority"), T.SELECT, choices=_of_activity("priority")),
    Field("due_at", _("Due"), T.DATETIME, api="dueAt", due=True),
    Field("reminder", _("Reminder"), T.SELECT, choices=_of_activity("reminder")),
    Field("repeats", _("Repeats"), T.SELECT, choices=_of_activity("repeats")),
    Field("at", _("When"), T.DATETIME, sort="at", editable=False),
    Field("occurred_at", _("Occurred at"), T.DATETIME, api="occurredAt"),
    Field("outcome", _("Outcome"), T.SELECT, choices=_of_activity("outcome")),
    Field("minutes", _("Duration (min)"), T.NUMBER),
    Field("sender", pgettext_lazy("email", "From"), T.TEXT),
    Field("recipients", pgettext_lazy("email", "To"), T.TEXT),
    Field("participants", _("Participants"), T.MANY, target="participant", editable=False),
    Field("created_at", _("Recorded at"), T.DATETIME, api="recordedAt", editable=False),
)

# The rows of an activity's further people: for conditions over all of them.
PARTICIPANT = Entity(
    "participant",
    "contacts.Participant",
    _("Participant"),
    _("Participants"),
    "contact",
    public_id="contact__public_id",  # its page is that of the contact
    path="contact",
)
PARTICIPANT.add(
    Field("name", _("Name"), T.TEXT, path="contact__name", editable=False),
    Field("contact", _("Contact"), T.LINK, target="contact", editable=False),
)

# Not a record with pages: the columns of an event file.
ENGAGEMENT = Entity(
    "engagement",
    "contacts.EngagementEvent",
    _("Event"),
    _("Events"),
    "event",
    title="kind",  # not a text
)
ENGAGEMENT.add(
    Field("external_id", _("External ID"), T.TEXT, api="externalId", path="contact__external_id", editable=False),
    Field("email", _("Email"), T.EMAIL, path="contact__email", aliases=("e-mail",), editable=False),
    Field(
        "kind",
        _("Event type"),
        T.SELECT,
        choices=tuple(Choice(kind, event.label, aliases=event.aliases) for kind, event in KINDS.items()),
        aliases=("event", "type"),
        editable=False,
    ),
    Field(
        "occurred_at",
        _("Occurred at"),
        T.DATETIME,
        api="occurredAt",
        aliases=("date", "time", "timestamp"),
        editable=False,
    ),
)
