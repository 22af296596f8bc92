"""Everything is reachable by keyboard, focus is visible, and reduced motion is respected."""

import pytest
from playwright.sync_api import expect

from crm.users.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The focused element's accessible name, and whether its focus is visible.
FOCUS = """() => {
  const element = document.activeElement;
  const shown = getComputedStyle(element);
  const ring = [element, element.parentElement].some((one) => getComputedStyle(one).outlineStyle !== 'none');
  const within = element.closest('.composer') || element.closest('.all');
  const name = element.ariaLabel || element.labels?.[0]?.innerText || element.innerText || element.name;
  return [(name || element.tagName).trim().split('\\n').pop(), ring || Boolean(within)];
}"""


def tab_through(page, most=120):
    """Return the tab stops in order, until focus leaves the page."""
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        name, visible = page.evaluate(FOCUS)
        if name == "BODY" or page.evaluate("document.activeElement === document.body"):
            break
        assert visible, f"one cannot see that {name} has the focus"
        stops.append(name)
    return stops


def in_order(stops, *names):
    places = [stops.index(name) for name in names]
    return places == sorted(places)


def test_the_tab_order_of_a_list(visit, add, sign_in):
    add("Ana", email="ana@fleetly.example")
    page = visit("/contact?view=all", client=sign_in("rep"))
    stops = tab_through(page)
    assert stops[0] == "Skip to content"
    expected = ["My day", "Search", "New", "All", "Filter", "Quick filters", "Columns"]
    assert in_order(stops, *expected, "Select all on this page", "Lifecycle Stage", "Select Ana", "Ana")


def test_the_tab_order_of_a_record(visit, add, sign_in):
    ana = add("Ana", email="ana@fleetly.example")
    page = visit(ana.get_absolute_url(), client=sign_in("rep"))
    stops = tab_through(page)
    first = ["Search", "Edit", "More actions", "Why Lifecycle Stage is Lead", "Qualify"]
    expected = [*first, "Mark as customer", "Mark as lost…", "Edit Email"]
    assert in_order(stops, *expected, "Text", "Subject", "Add note")


def test_the_skip_link_leads_past_the_sidebar(visit, add, sign_in):
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_selecting_and_opening_by_keys(visit, add, sign_in):
    add("Ana")
    add("Bruno")
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".bulk-count")).to_have_text("Selected: 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ana", level=1)).to_be_visible()


def test_single_keys_do_nothing_for_who_switched_them_off(visit, add, sign_in, cast):
    """WCAG 2.1.4; keys that produce no text still work."""
    add("Ana")
    User.objects.filter(pk=cast.rep.user_id).update(shortcuts=False)
    page = visit("/contact?view=all", client=sign_in("rep"))
    for key in ("j", "x", "c", "?", "/"):
        page.keyboard.press(key)
    expect(page.locator(".is-cursor, dialog[open], [data-select]:checked, :focus")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("[data-search]")).to_be_focused()


def test_a_menu_closes_with_escape_and_gives_the_focus_back(visit, add, sign_in):
    add("Ana")
    page = visit("/contact?view=all", client=sign_in("rep"))
    page.locator("summary", has_text="Filter").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Field")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Field")).to_be_hidden()
    expect(page.locator("summary", has_text="Filter").first).to_be_focused()


def test_nothing_moves_for_who_asked_for_stillness(visit, add, sign_in):
    ana = add("Ana")
    for path in ("/contact?view=all", ana.get_absolute_url()):
        page = visit(path, client=sign_in("rep"))
        moving = page.evaluate(
            """() => [...document.querySelectorAll('*')].filter((one) => {
              const style = getComputedStyle(one);
              return style.animationName !== 'none' || style.transitionProperty !== 'none';
            }).map((one) => one.outerHTML.slice(0, 80))"""
        )
        assert moving == []
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate("getComputedStyle(document.querySelector('.btn')).transitionDuration").startswith("0.12s")
