"""What an app that can be taken out again adds to the tests of the whole product, where it is there."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

legacy_leads: Any = import_module("tests.legacy_leads.shared") if find_spec("crm.legacy_leads") else None
