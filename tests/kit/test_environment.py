import stat
import threading
from pathlib import Path

import pytest

from crm.environment import BadEnvironment, read
from tests.kit.commands import manage

SECRET = "x7" * 30

pytestmark = pytest.mark.once


@pytest.fixture
def env(tmp_path):
    """Call read() in a directory of its own."""
    return lambda **values: read(tmp_path, values)


def test_a_fresh_checkout_is_a_debugging_instance_of_its_own(env, tmp_path):
    environment = env()
    assert (environment.debug, environment.host, environment.port) == (True, "127.0.0.1", 8000)
    assert environment.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert environment.database["NAME"] == f"{tmp_path}/var/throughline.sqlite3"
    assert environment.mail.directory == f"{tmp_path}/var/mail"


def test_the_kept_secret_is_private_and_stays_the_same(env, tmp_path):
    secret = env().secret_key
    assert len(secret) >= 50
    assert env().secret_key == secret
    assert stat.S_IMODE((tmp_path / "var/secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret_key"]


def test_first_starts_at_once_agree_on_one_secret(env):
    barrier, secrets = threading.Barrier(8), []

    def start():
        barrier.wait()
        secrets.append(env().secret_key)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 8
    assert len(set(secrets)) == 1
    assert secrets[0]


def test_a_secret_makes_it_a_deployment(env):
    assert not env(SECRET_KEY=SECRET).debug
    assert env(SECRET_KEY=SECRET, DEBUG="1").debug
    assert env(DATABASE_URL="postgres://db/crm", REDIS_URL="redis://cache").debug


def test_an_empty_variable_counts_as_not_set(env):
    empty = dict.fromkeys(("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL", "PORT", "HOST"), " ")
    assert env(**empty) == env()


def test_nothing_secret_shows_in_a_printed_environment(env):
    text = repr(env(SECRET_KEY=SECRET, DATABASE_URL="postgres://u:hush@h/db", EMAIL_URL="smtp://u:hush@mail"))
    assert SECRET not in text
    assert "hush" not in text


@pytest.mark.parametrize("word, on", [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False)])
def test_debug_is_a_switch(env, word, on):
    assert env(DEBUG=word, SECRET_KEY=SECRET).debug is on


def test_a_postgres_address_is_read_by_libpq(env):
    database = env(DATABASE_URL="postgres://rep:p%40ss@db:5433/crm?sslmode=require&connect_timeout=3").database
    assert {key: database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "crm",
        "USER": "rep",
        "PASSWORD": "p@ss",
        "HOST": "db",
        "PORT": "5433",
    }
    expected = {"sslmode": "require", "connect_timeout": "3", "prepare_threshold": 0, "options": "-c jit=off"}
    assert database["OPTIONS"] == expected
    own = env(DATABASE_URL="postgres:///crm?options=-c%20work_mem%3D64MB").database["OPTIONS"]["options"]
    assert own == "-c jit=off -c work_mem=64MB"
    assert env(DATABASE_URL="postgres:///crm?host=/run/postgresql").database["HOST"] == "/run/postgresql"


def test_a_sqlite_path_may_hold_escaped_characters(env, tmp_path):
    assert env(DATABASE_URL=f"sqlite:///{tmp_path}/my%20file.db").database["NAME"] == f"{tmp_path}/my file.db"


def test_mail_goes_where_the_address_says(env):
    mail = env(EMAIL_URL="smtp://me%40x.example:p%3Aw@mail.example:2525/?tls=1&from=crm@x.example").mail
    assert (mail.backend, mail.host, mail.port, mail.user, mail.password) == (
        "smtp",
        "mail.example",
        2525,
        "me@x.example",
        "p:w",
    )
    assert (mail.tls, mail.ssl, mail.sender) == (True, False, "crm@x.example")
    assert env(EMAIL_URL="smtp://mail.example?ssl=1").mail.port == 465
    assert env(EMAIL_URL="console:").mail.backend == "console"
    assert env(EMAIL_URL="file:///srv/mail").mail.directory == "/srv/mail"


def test_a_provider_has_a_client_and_speaks_for_domains(env):
    given = {"OIDC_ISSUER": "https://accounts.google.com", "OIDC_CLIENT_ID": "crm"}
    with pytest.raises(BadEnvironment, match=r"^OIDC_CLIENT_SECRET: is required with OIDC_ISSUER"):
        env(**given)
    given |= {"OIDC_CLIENT_SECRET": "hush", "OIDC_DOMAINS": "Acme.example, acme.org"}
    provider = env(**given).identity_provider
    assert (provider.name, provider.client_id, provider.domains) == (
        "accounts.google.com",
        "crm",
        ("acme.example", "acme.org"),
    )
    assert "hush" not in repr(provider)
    assert env(**given, OIDC_NAME="Google").identity_provider.name == "Google"
    assert env(**given | {"OIDC_ISSUER": "http://localhost:8080/realm"}).identity_provider.issuer
    assert env().identity_provider is None


def test_uploads_go_to_a_directory_or_a_bucket(env):
    assert env().uploads == {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    address = "s3://key:hu%2Fsh@uploads.acme?region=eu-central-1&endpoint=https://minio.acme.example:9000&prefix=crm"
    environment = env(STORAGE_URL=address, FILE_MAX_MB="100", FILE_QUOTA_GB="50")
    assert environment.uploads["BACKEND"] == "storages.backends.s3.S3Storage"
    expected = {
        "bucket_name": "uploads.acme",
        "access_key": "key",
        "secret_key": "hu/sh",
        "region_name": "eu-central-1",
        "endpoint_url": "https://minio.acme.example:9000",
        "location": "crm",
        "file_overwrite": False,
    }
    assert environment.uploads["OPTIONS"].items() >= expected.items()
    assert env(STORAGE_URL="s3://uploads").uploads["OPTIONS"]["access_key"] is None
    assert (environment.file_max_mb, environment.file_quota_gb) == (100, 50)


def test_a_bucket_needs_its_packages(env, monkeypatch):
    monkeypatch.setattr("crm.environment.find_spec", lambda name: None)
    with pytest.raises(BadEnvironment, match=r"^STORAGE_URL: needs the packages of requirements/s3.txt"):
        env(STORAGE_URL="s3://uploads")


NONSENSE = [
    ("DEBUG", "maybe"),
    ("PORT", "eighty"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "\u0668\u0660"),
    ("PORT", "9" * 5000),
    ("HOST", "crm.example.com"),
    ("HOST", "0.0.0.0"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "10.0.0.1"),
    ("DATA_DIR", "var"),
    ("DATA_DIR", "/proc/nowhere"),
    ("ALLOWED_HOSTS", "https://crm.example.com"),
    ("ALLOWED_HOSTS", "crm.example.com:8000"),
    ("ALLOWED_HOSTS", "crm example.com"),
    ("DATABASE_URL", "mysql://u@h/db"),
    ("DATABASE_URL", "throughline.sqlite3"),
    ("DATABASE_URL", "sqlite:///relative.db"),
    ("DATABASE_URL", "sqlite://:memory:"),
    ("DATABASE_URL", "sqlite:////nowhere/at/all.db"),
    ("DATABASE_URL", "sqlite:////tmp"),
    ("DATABASE_URL", "postgres://"),
    ("DATABASE_URL", "postgres://u@h/db?sslmod=require"),
    ("DATABASE_URL", "postgres://u@h:port/db"),
    ("DATABASE_URL", "postgres://u:hush%zz@h/db"),
    ("STORAGE_URL", "/srv/uploads"),
    ("STORAGE_URL", "s3://"),
    ("STORAGE_URL", "s3://key:hush/hush@uploads"),
    ("STORAGE_URL", "s3://Up_loads"),
    ("STORAGE_URL", "s3://uploads/folder"),
    ("STORAGE_URL", "s3://uploads?acl=public"),
    ("FILE_MAX_MB", "0"),
    ("FILE_QUOTA_GB", "ten"),
    ("REDIS_URL", "http://localhost"),
    ("REDIS_URL", "redis://"),
    ("REDIS_URL", "redis://localhost:port"),
    ("METRICS_TOKEN", "secret"),
    ("OIDC_ISSUER", "accounts.google.com"),
    ("OIDC_ISSUER", "http://accounts.google.com"),
    ("OIDC_ISSUER", "https://host:port"),
    ("OIDC_DOMAINS", "acme"),
    ("OIDC_DOMAINS", "acme.example, @acme.org"),
    ("WEBHOOK_NETWORKS", "10.0.0.1/8"),
    ("WEBHOOK_NETWORKS", "intranet"),
    ("METRICS_TOKEN", "twenty characters and spaces"),
    ("EMAIL_URL", "mail.example.com"),
    ("EMAIL_URL", "smtp://"),
    ("EMAIL_URL", "smtp://mail:port"),
    ("EMAIL_URL", "smtp://mail?tls=1&ssl=1"),
    ("EMAIL_URL", "smtp://mail?tls=maybe"),
    ("EMAIL_URL", "smtp://mail?secure=1"),
    ("EMAIL_URL", "file://relative"),
    ("EMAIL_URL", "console:?tls=1"),
]


@pytest.mark.parametrize("name, value", NONSENSE)
def test_nonsense_is_refused_by_name(env, name, value):
    with pytest.raises(BadEnvironment) as refused:
        env(**{name: value})
    sentence = str(refused.value)
    assert sentence.startswith(f"{name}: ")
    assert "\n" not in sentence
    assert "hush" not in sentence


def test_a_deployment_needs_a_secret(env):
    with pytest.raises(BadEnvironment, match=r"^SECRET_KEY: is required when DEBUG is off"):
        env(DEBUG="0")


def test_a_deployment_names_its_hosts(env):
    with pytest.raises(BadEnvironment, match=r"^ALLOWED_HOSTS: "):
        env(SECRET_KEY=SECRET, ALLOWED_HOSTS="*")
    assert env(SECRET_KEY=SECRET, ALLOWED_HOSTS="crm.example.com, .eu.example.com").allowed_hosts == [
        "crm.example.com",
        ".eu.example.com",
    ]


def test_a_debugging_server_on_the_network_has_to_be_asked_for(env):
    assert env(HOST="0.0.0.0", DEBUG="1").host == "0.0.0.0"
    assert env(HOST="0.0.0.0", SECRET_KEY=SECRET).host == "0.0.0.0"
    assert env(HOST="::1").host == "::1"


def test_nonsense_stops_the_start_with_one_line_and_status_2(tmp_path):
    done = manage(tmp_path, "check", PORT="eighty")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "PORT: 'eighty' is not valid. Use a whole number from 1 to 65535.\n"


def test_a_production_environment_is_clean(tmp_path):
    done = manage(
        tmp_path,
        *("check", "--deploy", "--fail-level", "WARNING"),
        SECRET_KEY="aQ3-z" * 12,
        ALLOWED_HOSTS="crm.example.com",
        DATABASE_URL="postgres://crm@/crm?host=/run/postgresql",
        EMAIL_URL="smtp://mail.example.com:587/?tls=1",
        TRUSTED_PROXIES="1",
    )
    assert done.returncode == 0, done.stderr


def test_every_variable_is_described():
    example = Path(__file__).parents[2].joinpath(".env.example").read_text()
    source = Path(__file__).parents[2].joinpath("crm/environment.py").read_text()
    named = {
        line.split("=")[0].lstrip("# ")
        for line in example.splitlines()
        if "=" in line and " " not in line.split("=")[0].lstrip("# ")
    }
    for name in (
        "SECRET_KEY",
        "DEBUG",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "STORAGE_URL",
        "FILE_MAX_MB",
        "FILE_QUOTA_GB",
        "REDIS_URL",
        "METRICS_TOKEN",
        "EMAIL_URL",
        "TRUSTED_PROXIES",
        "PORT",
        "HOST",
        "DATA_DIR",
    ):
        assert f'"{name}"' in source
        assert name in named
