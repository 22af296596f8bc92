"""What may go wrong beside a command, as the one sentence that it ends with."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from crm.kit.errors import DomainError, Refused
from crm.kit.translation import gettext as _


@contextmanager
def report_failure(refused: str = "") -> Iterator[None]:
    """End the command with status 1 where a rule, a file or the database says no; `refused` takes a rule's {reason}."""
    try:
        yield
    except DomainError as error:
        why = refused.format(reason=error) if refused and isinstance(error, Refused) else str(error)
    except OSError as error:
        reason = error.strerror or error
        sentence = "{file}: {reason}." if error.filename else _("Can’t use the file: {reason}.")
        why = sentence.format(file=error.filename, reason=reason)
    except DatabaseError as error:
        why = _("Can’t use the database: {reason}").format(reason=str(error).splitlines()[0])
    else:
        return
    raise CommandError(why, returncode=1)
