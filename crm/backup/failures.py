"""Errors of backup commands, each reported as one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from crm.kit.errors import DomainError, Refused
from crm.kit.translation import gettext as _


@contextmanager
def report_failure(refused: str = "") -> Iterator[None]:
    """End the command with status 1 on a domain, file or database error; `refused` formats a domain error."""
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
