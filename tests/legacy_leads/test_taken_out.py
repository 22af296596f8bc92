"""Legacy leads can be removed by deleting their folders and their line in the settings."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.template import ROOT

FOLDERS = ("crm/legacy_leads", "templates/legacy_leads", "tests/legacy_leads")
LINE = '    "crm.legacy_leads",\n'
# Tests of the whole code and all pages. Documents mention the removed app, and are edited by hand.
TESTS = ("tests/architecture", "tests/users/test_scope.py", "tests/security/test_isolation_matrix.py")
SOME = "architecture or scope or every_url or GET-manager"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis")


@pytest.fixture
def without(tmp_path):
    """Run a command in a copy of the project without them."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    for folder in FOLDERS:
        shutil.rmtree(copy / folder)
    settings = copy / "crm" / "settings.py"
    assert LINE in settings.read_text()
    settings.write_text(settings.read_text().replace(LINE, ""))
    environment = os.environ | {"DEBUG": "1", "DATA_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}

    def run(*command: str) -> None:
        ran = subprocess.run([sys.executable, *command], cwd=copy, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]

    return run


@pytest.mark.once
def test_what_is_left_is_whole(without):
    without("manage.py", "makemigrations", "--check", "--dry-run")
    pytest_run = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not postgres and not browser")
    without(*pytest_run, "--ignore=tests/architecture/test_documents.py", "-k", SOME, *TESTS)
