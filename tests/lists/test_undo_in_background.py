"""A large undo started from a page, in the running product: another process carries it out."""

import http.client
from uuid import UUID

import pytest

from tests.backup.conftest import people_csv
from tests.events.processes import Product, own_database
from tests.events.test_engine import eventually

pytestmark = pytest.mark.once


def test_a_large_undo_is_carried_out_beside_the_web(tmp_path, db):
    people = tmp_path / "people.csv"
    people.write_text(people_csv(120))
    with own_database(tmp_path) as database:
        product = Product(tmp_path, database)
        assert product.manage("import_contacts", str(people), "--workspace", "acme").returncode == 0
        change = UUID(product.one("SELECT change FROM lists_importrun"))
        with product.up():
            browser = http.client.HTTPConnection("127.0.0.1", product.port)
            assert product.post(browser, f"/undo/{change}") == 302
            assert eventually(lambda: product.one("SELECT finished_at FROM lists_undorun"), 60)
        assert product.row("SELECT done, total FROM lists_undorun") == (120, 120)
        assert product.one("SELECT count(*) FROM contacts_contact WHERE email LIKE 'person%'") == 0
