"""The bell and its targets; completion of members after an @, by keys and mouse."""

import pytest
from playwright.sync_api import expect

from contacts.models import Contact
from contacts.verbs.log import log
from crm.notifications.models import Notification
from crm.records.verbs.assign import assign
from tests.browser import HEIGHT, assert_accessible, inspect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def news(add, actor, cast):
    """Assign the rep five contacts, then mention them on Ana Ruiz; return her."""
    ana, *others = [add("Ana Ruiz"), *(add(name, by="manager") for name in ("Bo", "Cleo", "Dan", "Eve", "Fay"))]
    assign(Contact.objects.filter(pk__in=[other.pk for other in others]), cast.rep, by=actor("manager"))
    log([{"kind": "note", "subject": "@rep please call her", "contact_id": ana.pk}], by=actor("mate"))
    return ana


def test_the_bell_opens_and_leads_to_the_record(visit, news, sign_in):
    page = visit("/", client=sign_in("rep"))
    bell = page.get_by_label("Notifications, 2 unread")
    bell.click()
    item = page.get_by_role("link", name="Mate mentioned you on Ana Ruiz")
    expect(item).to_be_visible()
    assert_accessible(page)
    item.click()
    page.wait_for_url(f"**{news.get_absolute_url()}")
    expect(page.locator(".timeline .mention")).to_have_text("@rep")
    expect(page.get_by_label("Notifications, 1 unread")).to_be_visible()


def test_all_are_marked_as_read_and_the_undo_takes_it_back(visit, news, sign_in):
    page = visit("/contact", client=sign_in("rep"))
    page.get_by_label("Notifications, 2 unread").click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("heading", name="You’re all caught up")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Notifications, 2 unread")).to_be_visible()


def test_the_bell_and_its_page_work_without_javascript(visit, news, sign_in):
    page = visit("/", client=sign_in("rep"), javascript=False)
    page.get_by_label("Notifications, 2 unread").click()
    page.get_by_role("link", name="All notifications").click()
    page.get_by_role("link", name="Manager assigned 5 contacts to you").click()
    expect(page.locator("[data-row]")).to_have_count(5)
    page.goto("/notification")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("heading", name="You’re all caught up")).to_be_visible()


def test_the_popover_and_the_page_look_right(visit, news, sign_in):
    page = visit("/", client=sign_in("rep"))
    page.get_by_label("Notifications, 2 unread").click()
    expect(page.locator(".news li").first).to_be_visible()
    for width in HEIGHT:
        page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        box = page.locator(".news-popover").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    inspect(page, "bell")
    page.goto("/notification?show=all")
    inspect(page, "notifications-page")
    page.goto("/settings/notifications/")
    inspect(page, "notifications-settings")
    page.goto(news.get_absolute_url())
    page.get_by_label("Text").press_sequentially("Hello @m")
    expect(page.get_by_role("option")).to_have_count(2)
    inspect(page, "mention")


def test_a_person_is_completed_after_an_at_sign(visit, news, sign_in, cast):
    page = visit(news.get_absolute_url(), client=sign_in("rep"))
    text = page.get_by_label("Text")
    text.press_sequentially("Ask @ma")
    expect(page.get_by_role("option")).to_have_text(["Manager@manager", "Mate@mate"])
    text.press("ArrowDown")
    text.press("Enter")
    expect(text).to_have_value("Ask @mate ")
    text.press_sequentially("and @mana")
    page.get_by_role("option", name="Manager").click()
    expect(text).to_have_value("Ask @mate and @manager ")
    expect(text).to_be_focused()
    text.press_sequentially("or @m")
    expect(page.get_by_role("listbox")).to_be_visible()
    text.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    text.press_sequentially("x me@x.example")
    expect(page.get_by_role("listbox")).to_have_count(0)
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".toast")).to_contain_text("Note added.")
    told = Notification.objects.filter(kind="mentioned").exclude(recipient=cast.rep)
    assert {item.recipient for item in told} == {cast.mate, cast.manager}
