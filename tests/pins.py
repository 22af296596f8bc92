"""`make pins`: compare the pinned versions with published ones, through pip's own configuration.

Security fixes are ordinary releases, which no index marks. So every release allowed by requirements/*.in is due, and
for indirect requirements every release of the same major version: `make lock ARGS=--upgrade` takes them. Others are
listed for a decision. The exit status is 1 while one is due. A missing network is reported, but no failure.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
Pip = Callable[..., subprocess.CompletedProcess]


def pip(*arguments: str) -> subprocess.CompletedProcess:
    options = ("--disable-pip-version-check", "--retries", "1", "--timeout", "10")
    return subprocess.run([sys.executable, "-m", "pip", *arguments, *options], capture_output=True, text=True)


def pinned() -> dict[str, Version]:
    """Map name to version of every pin in requirements/dev.txt."""
    pins = re.findall(r"^([\w.-]+)==([^ ;\\]+)", (REQUIREMENTS / "dev.txt").read_text(), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def asked_for() -> dict[str, Requirement]:
    """Map name to requirement in requirements/*.in."""
    lines = [line for file in REQUIREMENTS.glob("*.in") for line in file.read_text().splitlines()]
    wanted = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(requirement.name): requirement for requirement in wanted}


def published(run: Pip = pip) -> dict[str, Version] | None:
    """Map name to newest release of outdated packages; None without a package index."""
    if run("index", "versions", "django").returncode:
        return None
    found = json.loads(run("list", "--outdated", "--format=json").stdout)
    return {canonicalize_name(each["name"]): Version(each["latest_version"]) for each in found}


def is_due(name: str, pin: Version, newest: Version) -> bool:
    wanted = asked_for().get(name)
    return wanted.specifier.contains(newest) if wanted else newest.major == pin.major


def report(pins: dict[str, Version], newest: dict[str, Version] | None) -> tuple[str, int]:
    if newest is None:
        return "No package index can be reached: the pins were not compared with what is published.", 0
    behind = {name: (pin, newest[name]) for name, pin in pins.items() if name in newest and newest[name] > pin}
    due = [name for name, versions in behind.items() if is_due(name, *versions)]
    lines = [
        f"{name} is pinned at {behind[name][0]}, published is {behind[name][1]}: {what}."
        for names, what in ((due, "due"), (behind.keys() - due, "beyond what requirements/*.in allow"))
        for name in sorted(names)
    ]
    return "\n".join(lines) or "Every pin is the newest release.", 1 if due else 0


if __name__ == "__main__":
    text, status = report(pinned(), published())
    print(text)
    sys.exit(status)
