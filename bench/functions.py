"""How much of the product one click runs: its own functions and files that the POST of a verb enters.

From the view on, with its queries compiled by earlier clicks. A comprehension belongs to its function.
"""

import logging
import sys
from collections.abc import Iterator
from inspect import unwrap
from pathlib import Path
from types import CodeType, FrameType

from django.conf import settings
from django.test import Client
from django.urls import resolve

from bench.data import Place, place
from bench.measure import Ratio
from bench.pages import client
from contacts.models import Contact
from contacts.verbs.create import create
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.scope import in_workspace
from leads.models import Score

VERB = "qualify"
PROJECT = Path(__file__).resolve().parent.parent
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def ratios(size: int) -> Iterator[Ratio]:
    """Yield both counts, which don't depend on `size`."""
    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["testserver"], False
    where = place("functions", 100)
    signed_in = client(where.manager)

    def entered() -> list[CodeType]:
        return _entered(signed_in, _lead(where))

    yield Ratio("9c", f"own functions entered by a POST of {VERB}", 45, lambda: len(entered()), rounds=3)
    yield Ratio("9c", "files of these functions", 22, lambda: len({code.co_filename for code in entered()}), rounds=3)


def figures() -> Iterator[str]:
    """List the functions in order of entry, to see where a click goes."""
    where = place("functions", 100)
    for code in _entered(client(where.manager), _lead(where)):
        yield f"{Path(code.co_filename).relative_to(PROJECT)}: {code.co_qualname}"


def _lead(where: Place) -> str:
    """Create a contact that may be qualified. Return the verb's URL."""
    with in_workspace(where.workspace):
        by = where.manager.actor(Channel.WEB)
        [pk] = create([{"name": "Ann", "email": f"ann.{Contact.objects.count()}@x.example"}], by=by).done
        Score.objects.filter(lead__contact=pk).update(score_tenths=500, scored_at=clock.now())
        return f"{Contact.objects.get(pk=pk).get_absolute_url()}/{VERB}"


def _entered(signed_in: Client, url: str) -> list[CodeType]:
    view = unwrap(resolve(url).func).__code__
    found: list[CodeType] = []
    running = False

    def watch(frame: FrameType, event: str, arg: object) -> None:
        nonlocal running
        if frame.f_code is view and event in ("call", "return"):
            running = event == "call"
        if running and event == "call" and _is_own(frame.f_code) and frame.f_code not in found:
            found.append(frame.f_code)

    sys.setprofile(watch)
    try:
        status = signed_in.post(url).status_code
    finally:
        sys.setprofile(None)
    if status != 302:
        raise RuntimeError(f"{url} answered {status}.")
    return found


def _is_own(code: CodeType) -> bool:
    path = Path(code.co_filename)
    own = path.is_relative_to(PROJECT) and "site-packages" not in path.parts
    return own and code.co_name not in COMPREHENSIONS
