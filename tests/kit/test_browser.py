import pytest
from django.test import Client

from tests import browser
from tests.browser import assert_accessible, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.kit.pages"), pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_a_page_is_seen_in_a_theme_and_a_width(visit, theme, width):
    page = visit("/good", theme=theme, width=width)
    assert page.evaluate("innerWidth") == width
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (theme == "dark")
    assert_accessible(page)


def test_without_javascript_no_script_runs(visit):
    assert visit("/good", javascript=False).title() == "Page"
    assert visit("/good").title() == "ran"


def test_a_breach_of_the_policy_is_noted(visit):
    page = visit("/good", expected="Content Security Policy")
    problems = []
    browser._listen(page, problems, None)
    page.goto("/inline")
    assert page.title() == "Page"
    assert any("Content Security Policy" in problem for problem in problems), problems


def test_a_failed_answer_is_noted(visit):
    page = visit("/good", expected="404")
    problems = []
    browser._listen(page, problems, None)
    page.goto("/nowhere")
    assert any("404" in problem for problem in problems), problems


def test_axe_finds_a_field_without_a_label(visit):
    with pytest.raises(AssertionError, match="label"):
        assert_accessible(visit("/unlabelled"))


def test_a_visitor_takes_over_the_cookies_of_a_client(visit):
    client = Client()
    client.cookies["visitor"] = "abc"
    assert visit("/who", client=client).get_by_text("abc").is_visible()
    assert visit("/who").get_by_text("nobody").is_visible()


def test_pictures_are_kept_on_demand_only(visit, monkeypatch, tmp_path):
    monkeypatch.setattr(browser, "SCREENSHOTS", tmp_path)
    page = visit("/good")
    monkeypatch.delenv("SCREENSHOTS", raising=False)
    screenshot(page, "good-light-1440")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("SCREENSHOTS", "1")
    screenshot(page, "good-light-1440")
    assert (tmp_path / "good-light-1440.png").read_bytes()[1:4] == b"PNG"
