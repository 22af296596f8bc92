from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def addresses_and_pages_of_the_tests(settings):
    """Add the pages of tests/frame to the product's own."""
    settings.ROOT_URLCONF = "tests.frame.urls"
    mine = [{**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], Path(__file__).parent / "templates"]}]
    settings.TEMPLATES = mine
