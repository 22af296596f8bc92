"""What may go wrong beside a command, as the one sentence that it ends with."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from crm.kit.errors import DomainError, Refused


@contextmanager
def report_failure(refused: str = "") -> Iterator[None]:
    """End the command with status 1 where a rule, a file or the database says no; `refused` goes before a rule's."""
    try:
        yield
    except DomainError as error:
        why = f"{refused}{error}" if isinstance(error, Refused) else str(error)
    except OSError as error:
        why = f"{error.filename or 'The file'}: {error.strerror or error}."
    except DatabaseError as error:
        why = f"The database cannot be used: {str(error).splitlines()[0]}"
    else:
        return
    raise CommandError(why, returncode=1)
