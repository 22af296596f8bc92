"""Browser tests: the system's Chromium against a live server. A page that logs an error fails its test.

    @pytest.mark.browser
    def test_sign_in(visit):
        page = visit("/accounts/login/", theme="dark", width=390)
        assert_accessible(page)

Broken scripts, missing files and CSP violations appear in the console.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import chromium_program

SCREENSHOTS = Path(__file__).parents[2] / "var" / "screenshots"
HEIGHT = {1440: 900, 390: 844}  # viewport of a laptop and a phone, by width
TIMEOUT = 10_000  # milliseconds

LOOKS = (("light", 1440), ("dark", 1440), ("dark", 390), ("light", 390))
# axe takes half a second for a long page, mostly on colors. These two cover all colors and layouts, except what a dark
# phone hides, which is equal on all pages: the gallery is checked in all four.
LOOKED_INTO = (LOOKS[0], LOOKS[2])


# Elements beyond the window, if the page is wider.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => `${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 40)}`).slice(0, 10)"""


def inspect(page, name: str, looked_into=LOOKED_INTO) -> None:
    """Check a page in every theme and width: screenshot, no horizontal scrolling, and in some of them axe.

    No Python reprs may be visible, such as Person(name='Ana Ruiz').
    """
    spelled = re.search(r"\w+\(\w+=|<[\w.]+ object", page.locator("body").inner_text())
    assert not spelled, f"{name}: {spelled and spelled[0]}"
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        screenshot(page, f"{name}-{theme}-{width}")
        if (theme, width) in looked_into:
            assert_accessible(page)
        assert not page.evaluate(TOO_WIDE), f"{name}: wider than {width}: {page.evaluate(TOO_WIDE)}"


def assert_accessible(page) -> None:
    """Fail with axe's findings on the page, if any."""
    from axe_playwright_python.base import AXE_SCRIPT, AxeResults

    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)  # half a megabyte, sent once per page
    # Passed checks are not returned: that took most of the time.
    found = page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(({violations}) => ({violations}))",
    )
    results = AxeResults(found)
    assert not results.violations_count, f"{page.url}\n{results.generate_report()}"


def screenshot(page, name: str) -> None:
    """Save a full-page screenshot in var/screenshots if SCREENSHOTS=1; `name` has page, theme and width."""
    if os.environ.get("SCREENSHOTS") == "1":
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """Yield the system's Chromium, one per process."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=TIMEOUT)
    # Playwright's loop runs in this thread, so Django would reject a test's queries as blocking calls.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        sandbox = os.geteuid() != 0  # Chromium refuses to run sandboxed as root
        browser = playwright.chromium.launch(executable_path=chromium_program(), chromium_sandbox=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, live_server) -> Iterator[Callable]:
    """Open a path of the live server as a new visitor: visit(path, theme=, width=, javascript=, client=, expected=).

    `client` is a django.test.Client with cookies to copy; `expected` a regular expression for console output (e.g. a
    409 is logged there). Returns a Playwright page.
    """
    contexts, problems = [], []

    def open_page(path="/", *, theme="light", width=1440, javascript=True, client=None, expected=None):
        context = chromium.new_context(
            base_url=live_server.url,
            color_scheme=theme,
            viewport={"width": width, "height": HEIGHT[width]},
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(TIMEOUT)
        for cookie in client.cookies.values() if client else ():
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        page = context.new_page()
        _listen(page, problems, expected)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems, "The console said:\n" + "\n".join(problems)


def _listen(page, problems: list[str], expected: str | None) -> None:
    def note(text: str) -> None:
        if not (expected and re.search(expected, text)):
            problems.append(f"{page.url}: {text}")

    page.on("console", lambda message: note(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: note(str(error)))
