"""What a browser loads on its first visit: a list of fifty, its styles and scripts, compressed as served."""

import gzip
import re
from pathlib import Path

from django.contrib.staticfiles import finders

from contacts.verbs.create import create

LIMIT = 60 * 1024  # bytes
LINKED = re.compile(r'(?:src|href)="/static/([^"]+)"')


def page(client, url: str):
    return client.get(url, headers={"Accept-Encoding": "gzip"})


def test_a_first_visit_to_a_list_weighs_little(sign_in, acme, actor):
    people = [{"name": f"Person {n:02}", "email": f"person.{n * 7919}@company{n}.example"} for n in range(60)]
    create(people, by=actor("rep"))
    response = page(sign_in("rep"), "/contact?view=all")
    html = gzip.decompress(response.content).decode()
    assert html.count("data-row ") == 50
    files = {name: len(gzip.compress(_bytes(name))) for name in set(LINKED.findall(html))}
    assert {"app.css", "app.js"} < files.keys()
    assert len(response.content) + sum(files.values()) <= LIMIT, files


def _bytes(name: str) -> bytes:
    return Path(finders.find(name) or "").read_bytes()


def test_pages_are_padded_at_random_and_files_stream_as_they_are(sign_in, acme, actor):
    create([{"name": f"Person {n:02}"} for n in range(20)], by=actor("rep"))
    client = sign_in("rep")
    sizes = {len(page(client, "/contact?view=all").content) for _ in range(8)}
    assert len(sizes) > 1
    export = page(client, "/contact/export?view=all")
    assert export.streaming and "Content-Encoding" not in export.headers
