"""A record type is added by one folder and one line in the settings (CONTRIBUTING)."""

import os
import subprocess
import sys

import pytest

from tests.template import ROOT

SETTINGS = "tests.records.projects.settings"


@pytest.mark.once
def test_a_project_goes_through_what_every_record_does(tmp_path):
    """In a process of its own: this one's settings lack the line."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", f"--ds={SETTINGS}"]
    environment = os.environ | {"DATABASE_URL": "", "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": SETTINGS}
    environment["DATA_DIR"] = str(tmp_path)  # not the database of this run
    ran = subprocess.run(
        [*command, "tests/records/projects/check.py"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert ran.stdout.startswith(".....")
