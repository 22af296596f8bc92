"""Every page in a pseudo-language: all text except data is translated."""

from crm.kit.actor import Role
from tests.language.pseudo import untranslated, words_of_data
from tests.security.matrix import MATRIX, url

# The admin shows operators column names, as in code.
PAGES = sorted(
    name for name, route in MATRIX.items() if route.get is not None and route.page and not name.startswith("admin:")
)


def test_no_page_shows_a_text_that_cannot_be_translated(world, cast, sign_in, pseudo, subtests):
    clients = {role: sign_in(role.value) for role in (Role.REP, Role.ADMIN)}
    data = words_of_data()
    for name in PAGES:
        route = MATRIX[name]
        client = clients[Role.ADMIN if route.get == Role.ADMIN else Role.REP]
        response = client.get(url(name, route.args(world.own) if route.args else ()) + route.query)
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            with subtests.test(name):
                assert not untranslated(response.content.decode(), data)
