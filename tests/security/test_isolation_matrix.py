"""Every URL of the product, called without the right to see its content (RELIABILITY S1, S4)."""

import pytest
from django.test import Client

from crm.kit.actor import RANK, Role
from tests.conftest import PASSWORD
from tests.security.calls import HTMX, WAYS, call, told
from tests.security.matrix import MATRIX, routes, url
from tests.security.world import HIDDEN, THEIRS

WHO = {Role.VIEWER: "viewer", Role.REP: "rep", Role.MANAGER: "manager", Role.ADMIN: "admin"}
WITH_OBJECT = {name: route for name, route in MATRIX.items() if route.args}


def test_every_url_has_a_line_in_the_matrix():
    known = dict(routes())
    missing = {name: pattern for name, pattern in known.items() if name not in MATRIX}
    assert not missing, (
        f"Not in tests/security/matrix.py: {missing}. Add a line for each: how its arguments are made from a "
        "stranger's objects, and the lowest role that may GET and POST it."
    )
    assert not MATRIX.keys() - known.keys(), "These routes are gone: take their lines out of tests/security/matrix.py."


def test_every_url_that_names_an_object_says_how_to_reach_a_strangers():
    named = {name for name, pattern in routes() if "<" in pattern}
    silent = {name for name in named if not (MATRIX[name].args or MATRIX[name].kwargs or name == "admin:app_list")}
    assert not silent, f"Give {silent} `args` (or `kwargs`, where they name no object) in tests/security/matrix.py."


def listed(wrong) -> str:
    return "\n" + "\n".join(map(str, wrong))


def wrong_answers(client, name, route, objects, own) -> list[tuple]:
    """Return where a stranger's object differs from a missing one, or leaks content."""
    wrong, arguments = [], route.args(objects)
    for method, headers in WAYS:
        response = call(client, method, url(name, arguments), route.data(own), headers)
        nothing = call(client, method, url(name, route.missing), route.data(own), headers)
        leaks = objects.mark in without(told(response), arguments)
        expected = (
            *route.foreign,
            route.refused,
            405,
            *([200] if headers else []),
        )  # htmx gets redirects as 200
        if leaks or response.status_code != nothing.status_code or response.status_code not in expected:
            wrong.append((name, method, headers, response.status_code, nothing.status_code, leaks))
    return wrong


def without(said: str, arguments: tuple) -> str:
    """Return the response without the URL, which the caller knew."""
    for argument in map(str, arguments):
        said = said.replace(argument, "")
    return said


@pytest.fixture
def enter(cast):
    """Sign in with a password, twice: the 2FA pages require that."""

    def entered(who: str) -> Client:
        client = Client()
        client.post("/accounts/login/", {"login": getattr(cast, who).user.email, "password": PASSWORD})
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        return client

    return entered


@pytest.mark.once
@pytest.mark.parametrize("who", ["rep", "admin"])
def test_what_belongs_to_another_workspace_is_not_there(who, world, enter):
    client = enter(who)
    wrong = [
        answer
        for name, route in WITH_OBJECT.items()
        for answer in wrong_answers(client, name, route, world.theirs, world.own)
    ]
    assert not wrong, listed(wrong)


@pytest.mark.parametrize("who", ["rep", "viewer"])
def test_what_belongs_to_another_team_is_not_there_for_an_outsider(who, world, enter):
    client = enter(who)
    wrong = [
        answer
        for name, route in WITH_OBJECT.items()
        if route.by_team
        for answer in wrong_answers(client, name, route, world.hidden, world.own)
    ]
    assert not wrong, listed(wrong)


@pytest.mark.once
@pytest.mark.parametrize("who", ["viewer", "rep", "admin"])
def test_no_page_shows_a_word_of_another_workspace(who, world, sign_in):
    client, leaks = sign_in(who), []
    for name, route in MATRIX.items():
        for headers in ({}, HTMX):
            said = told(call(client, "GET", url(name, route.args(world.own) if route.args else ()), None, headers))
            if THEIRS in said or (who != "admin" and HIDDEN in said):
                leaks.append((name, headers))
    assert not leaks, listed(leaks)


@pytest.mark.once
def test_a_stranger_is_sent_to_the_sign_in_page(world):
    wrong = []
    for name, route in MATRIX.items():
        for method, headers in WAYS:
            response = call(Client(), method, url(name, route.args(world.own) if route.args else ()), {}, headers)
            place = response.headers.get("Location", response.headers.get("HX-Redirect", ""))
            if (
                not route.public
                and not place.startswith(("/accounts/login/", "/admin/login/"))
                and response.status_code not in (404, 405)
            ):
                wrong.append((name, method, response.status_code, place))
            if world.own.mark in told(response).replace(place, ""):
                wrong.append((name, method, "shows something"))
    assert not wrong, listed(wrong)


@pytest.mark.parametrize(
    "role", [*(pytest.param(role, marks=pytest.mark.once) for role in Role if role != Role.ADMIN), Role.ADMIN]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_role_gets_what_the_matrix_says(method, role, world, sign_in):
    client, wrong = sign_in(WHO[role]), []
    for name, route in MATRIX.items():
        lowest = route.get if method == "GET" else route.post
        if lowest is None:
            continue
        status = call(
            client, method, url(name, route.args(world.own) if route.args else ()), route.data(world.own)
        ).status_code
        allowed = RANK[role] >= RANK[lowest]
        expected = route.answers if allowed else (route.refused,)
        if status not in expected:
            wrong.append((name, status, f"expected {expected}"))
    assert not wrong, listed(wrong)
