"""manage.py verify_audit --workspace SLUG"""

import re
from dataclasses import asdict

from audit.verify import Verdict, verify
from crm.kit.actor import Actor
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage


class Command(WorkspaceCommand):
    """Exit status 0 when the log is as it was sealed, 1 when it is not, 2 for wrong usage."""

    help = (
        "Check that no entry of the audit log was altered, removed or put in since it was sealed; names the first that "
        "was. Prints the head of the chain: written down elsewhere and given back with --head, it also tells when the "
        "end of the log was cut off. Names the ERASE entries, each of which stands for all that one person's entries "
        "held; whether each of them was asked for it cannot tell. Seals nothing itself."
    )

    def add_arguments(self, parser):
        parser.add_argument("--head", metavar="HASH", default="", help="a head that an earlier run printed")

    def run(self, by: Actor, *, head: str, json: bool, **options) -> int:
        if head and not re.fullmatch("[0-9a-f]{64}", head):
            raise wrong_usage("A head is 64 characters of 0-9 and a-f, as this command prints it.")
        verdict = verify(head)
        self.stdout.write(_sentences(verdict))
        if json:
            self.tell({"ok": not verdict.problem, **asdict(verdict)})
        return REFUSED if verdict.problem else 0


def _sentences(verdict: Verdict) -> str:
    if verdict.problem:
        return f"{verdict.problem} The {verdict.sealed} sealed before that are in order; {verdict.waiting} wait."
    erased = "".join(f"Entry {pk} stands for {count} that were erased.\n" for pk, count in verdict.erased.items())
    return (
        f"{verdict.sealed} entries are sealed and as they were; {verdict.waiting} wait.\n{erased}Head: {verdict.head}"
    )
