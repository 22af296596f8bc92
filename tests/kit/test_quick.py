"""Tests selected by `make quick` for changed files."""

import pytest

from tests.quick import needed

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("crm/lists/selection.py", "tests/lists"),
        ("crm/opportunities/verbs/win.py", "tests/opportunities"),
        ("leads/scoring/score.py", "tests/leads"),
        ("templates/campaigns/form.html", "tests/campaigns"),
        ("tests/audit/test_undo.py", "tests/audit/test_undo.py"),
        ("tests/audit/conftest.py", "tests/audit"),
        ("tests/run.py", "tests/kit/test_run.py"),
    ],
)
def test_a_changed_file_needs_the_tests_of_its_app_and_those_that_import_it(path, tests):
    assert tests in needed([path])
    assert "tests/architecture" in needed([path])


def test_a_test_within_a_directory_that_runs_anyway_is_not_named_twice():
    assert needed(["audit/undo.py", "tests/audit/test_undo.py"]).count("tests/audit/test_undo.py") == 0


def test_a_test_elsewhere_that_imports_the_module_runs():
    assert "tests/audit/test_completeness.py" in needed(["contacts/verbs/merge.py"])
