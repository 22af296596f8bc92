"""Additions to whole-product tests by a removable app, if installed."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

legacy_leads: Any = import_module("tests.legacy_leads.shared") if find_spec("crm.legacy_leads") else None
