"""`make pins`: reports outdated pins, also without a network."""

from subprocess import CompletedProcess

import pytest
from packaging.version import Version

from tests.pins import asked_for, pinned, published, report

pytestmark = pytest.mark.once


def test_a_release_that_the_requirements_allow_is_due():
    pins = {"django-allauth": Version("65.21.1"), "sqlparse": Version("0.6.0"), "pillow": Version("12.3")}
    newest = {"django-allauth": Version("65.22.1"), "sqlparse": Version("0.6.1"), "pillow": Version("13.0")}
    text, status = report(pins, newest)
    assert status == 1
    assert text.splitlines() == [
        "django-allauth is pinned at 65.21.1, published is 65.22.1: due.",
        "sqlparse is pinned at 0.6.0, published is 0.6.1: due.",
        "pillow is pinned at 12.3, published is 13.0: beyond what requirements/*.in allow.",
    ]


@pytest.mark.parametrize("newest", [{}, {"pillow": Version("13.0")}, {"pip": Version("99")}])
def test_what_is_not_due_is_no_failure(newest):
    assert report({"pillow": Version("12.3")}, newest)[1] == 0


def test_without_a_network_nothing_is_compared_and_nothing_fails():
    newest = published(lambda *arguments: CompletedProcess(arguments, 1, "", "No matching distribution"))
    assert report(pinned(), newest) == (
        "No package index can be reached: the pins were not compared with what is published.",
        0,
    )


def test_everything_asked_for_is_pinned_within_what_is_asked_for():
    pins = pinned()
    assert {name for name, wanted in asked_for().items() if not wanted.specifier.contains(pins[name])} == set()


def test_sign_in_takes_a_code_once_only():
    """Older releases of allauth accepted one TOTP code three times, and passkeys without user verification."""
    assert pinned()["django-allauth"] >= Version("65.22")
