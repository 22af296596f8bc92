import os
import shutil
import signal
import socket
import sqlite3
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from crm.kit import instance
from crm.kit.management.commands import up as up_command
from tests.kit.commands import get, manage, up
from tests.services import free_port

pytestmark = pytest.mark.once
PRODUCTION = {"SECRET_KEY": "aQ3-z" * 12}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return a migrated database with a user: not a first start, so no demo data."""
    directory = tmp_path_factory.mktemp("prepared")
    assert manage(directory, "migrate").returncode == 0
    somebody = manage(
        directory,
        *("createsuperuser", "--noinput", "--email", "somebody@acme.example"),
        DJANGO_SUPERUSER_PASSWORD="throughline-demo",
    )
    assert somebody.returncode == 0, somebody.stderr
    return directory / "throughline.sqlite3"


@pytest.fixture
def data_dir(prepared, tmp_path):
    """Return the data directory of a used instance."""
    shutil.copy(prepared, tmp_path)
    return tmp_path


def test_one_command_serves_the_sign_in_page_and_stops_on_request(data_dir):
    port = free_port()
    with up(data_dir, port) as server:
        status, page, _ = get(port, "/accounts/login/")
        assert status == 200
        assert 'name="login"' in page
        assert get(port, "/healthz")[0] == 200
        server.send_signal(signal.SIGTERM)
        output, errors = server.communicate(timeout=20)
    assert server.returncode == 0, errors
    assert f"http://127.0.0.1:{port}" in output


@pytest.mark.parametrize("to_the_group", [True, False])
def test_ctrl_c_stops_it_gracefully(data_dir, to_the_group):
    port = free_port()
    with up(data_dir, port) as server:
        send = os.killpg if to_the_group else os.kill
        send(server.pid, signal.SIGINT)
        _, errors = server.communicate(timeout=20)
    assert server.returncode == 0, errors
    assert "Traceback" not in errors


def test_a_second_instance_on_the_same_file_does_not_start(data_dir):
    port = free_port()
    with up(data_dir, port):
        second = manage(data_dir, "up", PORT=str(free_port()))
        assert second.returncode == 2
        assert "already running on" in second.stderr
        assert len(second.stderr.splitlines()) == 1
        assert get(port, "/healthz")[0] == 200


def test_after_a_kill_the_file_is_free_again(data_dir):
    port = free_port()
    with up(data_dir, port) as server:
        os.kill(server.pid, signal.SIGKILL)
        server.communicate(timeout=20)  # until the worker, which holds the pipes and the lock, is gone too
    with up(data_dir, free_port()):
        pass


def test_a_command_may_write_beside_a_running_instance(data_dir):
    with up(data_dir, free_port()):
        assert manage(data_dir, "migrate", "--check").returncode == 0


def test_a_taken_port_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = manage(tmp_path, "up", PORT=str(other.getsockname()[1]))
    assert done.returncode == 2
    assert done.stderr.startswith("CommandError: PORT: can’t listen on 127.0.0.1 port")
    assert not (tmp_path / "throughline.sqlite3").exists()


def test_a_database_that_cannot_be_reached_is_one_line(tmp_path):
    done = manage(tmp_path, "up", PORT=str(free_port()), DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/crm")
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: Can’t use the database: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\x55" * 9000])
def test_a_damaged_database_is_one_line(content, tmp_path):
    (tmp_path / "throughline.sqlite3").write_bytes(content)
    done = manage(tmp_path, "up", PORT=str(free_port()))
    assert done.returncode == 1
    assert "throughline.sqlite3 is damaged" in done.stderr
    assert "restore a backup with manage.py restore." in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nobody_else_reads_the_files_of_a_directory_that_was_there(data_dir):
    """Created by an operator, with their shell's modes."""
    data_dir.chmod(0o755)
    (data_dir / "media/avatars").mkdir(parents=True)
    (data_dir / "media/avatars/old.webp").write_bytes(b"x")
    (data_dir / "throughline.sqlite3").chmod(0o644)
    with up(data_dir, free_port()):
        open_to_others = [path for path in (data_dir, *data_dir.rglob("*")) if path.lstat().st_mode & 0o077]
    assert not open_to_others


def test_a_deployment_is_served_over_https_only(data_dir):
    port = free_port()
    with up(data_dir, port, TRUSTED_PROXIES="1", **PRODUCTION):
        status, _, headers = get(port, "/accounts/login/")
        assert (status, headers["location"]) == (301, f"https://127.0.0.1:{port}/accounts/login/")
        assert get(port, "/healthz")[0] == 200
        status, _, headers = get(
            port, "/accounts/login/", **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        )
        assert status == 200
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert headers["x-content-type-options"] == "nosniff"
        cookie = headers["set-cookie"]
        assert cookie.startswith("__Host-csrftoken=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert list((data_dir / "static").glob("app.*.css")), "static files were not collected"


def test_without_a_proxy_nobody_can_claim_https(data_dir):
    port = free_port()
    with up(data_dir, port, **PRODUCTION):
        assert get(port, "/accounts/login/", **{"X-Forwarded-Proto": "https"})[0] == 301


def test_the_database_is_set_up_and_migrated(tmp_path):
    with up(tmp_path, free_port(), **PRODUCTION):
        pass
    with sqlite3.connect(tmp_path / "throughline.sqlite3") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 10


@pytest.mark.parametrize("kind, found", [("nfs4", "nfs4"), ("cifs", "cifs"), ("ext4", "")])
def test_a_network_file_system_is_recognised(tmp_path, monkeypatch, kind, found):
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(instance, "MOUNTS", mounts)
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x /srv/my\\040share {kind} rw 0 0\n")
    assert instance.network_filesystem(Path("/srv/my share/crm/db.sqlite3")) == found
    assert instance.network_filesystem(Path("/srv/my shared/db.sqlite3")) == ""
    mounts.unlink()
    assert instance.network_filesystem(Path("/srv/my share/crm/db.sqlite3")) == ""


@pytest.mark.parametrize(
    "debug, people, steps",
    [
        (True, False, ["migrate", "load_demo"]),
        (True, True, ["migrate"]),
        (False, False, ["migrate", "collectstatic"]),
    ],
)
@pytest.mark.django_db
def test_the_demo_is_loaded_into_an_empty_debugging_instance_only(settings, monkeypatch, debug, people, steps):
    settings.DEBUG = debug
    called = []
    monkeypatch.setattr(up_command, "call_command", lambda name, **options: called.append(name))
    monkeypatch.setattr(up_command, "get_commands", lambda: {"load_demo": "crm"})
    if people:
        get_user_model().objects.create_user("somebody@acme.example")
    up_command.Command()._prepare()
    assert called == steps


@pytest.mark.django_db
def test_the_greeting_names_the_demo_logins_where_there_are_any():
    alone = "Throughline is running at http://127.0.0.1:8000 (press Ctrl-C to stop)."
    assert up_command._greeting("127.0.0.1:8000") == alone
    get_user_model().objects.create_user("rep@acme.example")
    greeting = up_command._greeting("127.0.0.1:8000")
    assert "password throughline-demo" in greeting
    assert "outsider@acme.example" in greeting
    assert "admin@globex.example" in greeting
