"""`make quick`: lint, and the tests affected by changed files, on SQLite only.

Changed files differ from `main`, committed or not (`BASE=HEAD~3 make quick` compares with another commit). A module
selects the tests of its app and those that import it, a template the tests of its app. Browser tests and PostgreSQL are
left to `make test`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.run import PYTHON, WORKERS

ROOT = Path(__file__).parents[1]
ALWAYS = "tests/architecture"


def main(arguments: list[str]) -> int:
    """Run lint and the tests; return the exit status of the first failure."""
    tests = needed(changed(os.environ.get("BASE") or "main"))
    print(f"Tests of the changed files: {' '.join(tests)}", flush=True)
    environ = os.environ | {"DEBUG": "1", "DATABASE_URL": "", "REDIS_URL": ""}
    chosen = ["-m", "not postgres and not browser and not redis"]
    for command in (["ruff", "check", "--quiet"], ["pytest", "-n", WORKERS, *chosen, *tests, *arguments]):
        if status := subprocess.run([*PYTHON, *command], cwd=ROOT, env=environ).returncode:
            return status
    return 0


def changed(base: str) -> list[str]:
    """Return the paths that differ from this branch's fork point on `base`, and untracked ones."""
    start = _git("merge-base", base, "HEAD")[0]
    return sorted({*_git("diff", "--name-only", start), *_git("ls-files", "--others", "--exclude-standard")})


def needed(paths: list[str]) -> list[str]:
    """Return the test files and directories for these paths."""
    found = {ALWAYS} | {test for path in paths for test in (*_of_its_app(path), *_importing(path))}
    return sorted(test for test in found if (ROOT / test).exists() and not _within_another(test, found))


def _of_its_app(path: str) -> list[str]:
    """Return the deepest test directory that mirrors the path; a test file itself."""
    parts = Path(path).parts
    if parts[0] == "tests" and Path(path).name.startswith("test_"):
        return [path]
    parts = parts[1:] if parts[0] in ("crm", "templates", "tests") else parts
    mirrors = ("/".join(("tests", *parts[:depth])) for depth in range(len(parts) - 1, 0, -1))
    return [mirror for mirror in mirrors if (ROOT / mirror).is_dir()][:1]


def _importing(path: str) -> list[str]:
    if not path.endswith(".py"):
        return []
    package, _, name = path.removesuffix(".py").replace("/", ".").rpartition(".")
    pattern = re.compile(
        rf"^\s*(from {re.escape(f'{package}.{name}')} import|from {re.escape(package)} import .*\b{name}\b)", re.M
    )
    return [
        str(test.relative_to(ROOT)) for test in (ROOT / "tests").rglob("test_*.py") if pattern.search(test.read_text())
    ]


def _within_another(test: str, others: set[str]) -> bool:
    return any(str(parent) in others for parent in Path(test).parents)


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("git does not know what has changed; name a commit, e.g. BASE=HEAD~1 make quick")
    return done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
