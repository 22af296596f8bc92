"""`make pins`: compare the pinned versions with what is published, through pip's own configuration.

Security fixes come as ordinary releases, and no index says which those are. So every release that requirements/*.in
allow is due, and for what nothing asks for by name every release of the same major version: `make lock ARGS=--upgrade`
takes them. Others are listed to be decided on. The exit status is 1 while one is due. Without a network nothing is
known, which is said and is no failure.
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
    """Run the pip of this Python."""
    options = ("--disable-pip-version-check", "--retries", "1", "--timeout", "10")
    return subprocess.run([sys.executable, "-m", "pip", *arguments, *options], capture_output=True, text=True)


def pinned() -> dict[str, Version]:
    """Name → version of everything that requirements/dev.txt pins."""
    pins = re.findall(r"^([\w.-]+)==([^ ;\\]+)", (REQUIREMENTS / "dev.txt").read_text(), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def asked_for() -> dict[str, Requirement]:
    """Name → what requirements/*.in say of it."""
    lines = [line for file in REQUIREMENTS.glob("*.in") for line in file.read_text().splitlines()]
    wanted = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(requirement.name): requirement for requirement in wanted}


def published(run: Pip = pip) -> dict[str, Version] | None:
    """Name → newest release, of what is installed in an older one; None where no package index can be asked."""
    if run("index", "versions", "django").returncode:
        return None
    found = json.loads(run("list", "--outdated", "--format=json").stdout)
    return {canonicalize_name(each["name"]): Version(each["latest_version"]) for each in found}


def is_due(name: str, pin: Version, newest: Version) -> bool:
    """Whether the pin is to follow that release."""
    wanted = asked_for().get(name)
    return wanted.specifier.contains(newest) if wanted else newest.major == pin.major


def report(pins: dict[str, Version], newest: dict[str, Version] | None) -> tuple[str, int]:
    """What to print, and the exit status."""
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
