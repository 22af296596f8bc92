"""manage.py verify_audit --workspace SLUG"""

import re
from dataclasses import asdict

from audit.verify import Verdict, verify
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage


class Command(WorkspaceCommand):
    """Exit status 0 if the log matches its seals, 1 if not, 2 for wrong usage."""

    help = _(
        "Verify the audit log: report the first entry that was altered, removed or inserted since it was sealed. Also "
        "print the head of the chain. Keep it elsewhere and pass it with --head to detect a truncated log. ERASE "
        "entries are listed, each of which stands for the erased entries of one contact. The command can’t tell "
        "whether an erasure was requested. It seals nothing itself."
    )

    def add_arguments(self, parser):
        parser.add_argument("--head", metavar="HASH", default="", help=gettext("a head that an earlier run printed"))

    def run(self, by: Actor, *, head: str, json: bool, **options) -> int:
        if head and not re.fullmatch("[0-9a-f]{64}", head):
            raise wrong_usage(gettext("A head has 64 characters, 0-9 and a-f. Use one that this command printed."))
        verdict = verify(head)
        self.stdout.write(_sentences(verdict))
        if json:
            self.tell({"ok": not verdict.problem, **asdict(verdict)})
        return REFUSED if verdict.problem else 0


def _sentences(verdict: Verdict) -> str:
    sealed, waiting = verdict.sealed, verdict.waiting
    verified = _counted(ngettext("{count} entry verified.", "{count} entries verified.", sealed), sealed)
    pending = _counted(ngettext("{count} entry pending.", "{count} entries pending.", waiting), waiting)
    if verdict.problem:
        return "\n".join([verdict.problem, verified, pending])
    erased = [_erased(pk, count) for pk, count in verdict.erased.items()]
    return "\n".join([verified, pending, *erased, gettext("Head: {head}").format(head=verdict.head)])


def _erased(pk: int, count: int) -> str:
    sentence = ngettext(
        "Entry {entry} stands for {count} erased entry.", "Entry {entry} stands for {count} erased entries.", count
    )
    return sentence.format(entry=pk, count=formats.number(count))


def _counted(sentence: str, count: int) -> str:
    return sentence.format(count=formats.number(count))
