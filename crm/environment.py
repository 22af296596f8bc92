"""Environment variables, read once and validated: an invalid value aborts startup with its name.

Every variable is described in .env.example. Empty ones count as unset.

Why: docs/decisions/0071-settings-are-read-in-one-file.md
"""

import ipaddress
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
WORDS = {word: True for word in ("1", "true", "yes", "on")} | {word: False for word in ("0", "false", "no", "off")}
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
IN_MEMORY = 1 << 20  # bytes of a file from a bucket; the rest is on the disk while it is sent
HOST_NAME = re.compile(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]", re.IGNORECASE)

# Compiling takes longer than running most of our statements: in a scoring batch it was three quarters of the time. Why:
# docs/decisions/0062-postgresql-without-jit.md
WITHOUT_JIT = "-c jit=off"
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,  # seconds; also how long a writer waits in the process's own queue (crm.kit.sqlite)
    # recursive_triggers: without it INSERT OR REPLACE deletes a row without firing DELETE triggers. wal_autocheckpoint:
    # pages of its log, 16 MB. With the default 1,000 every fifth commit of a job copied all of it.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON; "
    "PRAGMA wal_autocheckpoint=4000",
}


class BadEnvironment(ValueError):
    """An invalid environment variable; the message names it and valid values."""

    def __init__(self, name: str, why: str):
        super().__init__(f"{name}: {why}")


@dataclass(frozen=True)
class Mail:
    """Email settings: Django's backend, the sender, and the backend's options."""

    backend: str
    sender: str
    directory: str = ""
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ssl: bool = False


@dataclass(frozen=True)
class IdentityProvider:
    """The OpenID Connect provider of the installation, and the email domains that it may speak for."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    domains: tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """The parsed environment for the settings. `database` is an entry of DATABASES, `uploads` of STORAGES."""

    debug: bool
    secret_key: str = field(repr=False)
    allowed_hosts: list[str]
    database: dict = field(repr=False)
    uploads: dict = field(repr=False)
    file_max_mb: int
    file_quota_gb: int
    redis_url: str = field(repr=False)
    metrics_token: str = field(repr=False)
    mail: Mail
    identity_provider: IdentityProvider | None
    trusted_proxies: int
    webhook_networks: list
    host: str
    port: int
    data_dir: Path


def load(base: Path) -> Environment:
    """Return this process's environment; new files are readable only by its owner from now on.

    Prints one line and exits with status 2 for an invalid value.
    """
    os.umask(0o077)
    try:
        return read(base, os.environ)
    except BadEnvironment as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(2) from None


def read(base: Path, environ: Mapping[str, str]) -> Environment:
    """Parse `environ` for a checkout at `base`. Raises BadEnvironment."""
    values = {name: value.strip() for name, value in environ.items() if value.strip()}
    data_dir = _data_dir(values.get("DATA_DIR"), base)
    # A set secret means a service: DEBUG must then be enabled explicitly. Why:
    # docs/decisions/0070-debug-until-there-is-a-secret.md
    debug = _switch(values, "DEBUG", default="SECRET_KEY" not in values)
    return Environment(
        debug=debug,
        secret_key=_secret_key(values, debug, data_dir),
        allowed_hosts=_allowed_hosts(values, debug),
        database=_database(values.get("DATABASE_URL") or f"sqlite:///{data_dir}/throughline.sqlite3", data_dir),
        uploads=_uploads(values.get("STORAGE_URL", "")),
        file_max_mb=_whole_number(values, "FILE_MAX_MB", 25, 1, 2000),
        file_quota_gb=_whole_number(values, "FILE_QUOTA_GB", 10, 1, 1_000_000),
        redis_url=_redis(values.get("REDIS_URL", "")),
        metrics_token=_metrics_token(values.get("METRICS_TOKEN", "")),
        mail=_mail(values.get("EMAIL_URL") or f"file://{data_dir}/mail"),
        identity_provider=_identity_provider(values),
        webhook_networks=_networks(values.get("WEBHOOK_NETWORKS", "")),
        trusted_proxies=_whole_number(values, "TRUSTED_PROXIES", 0, 0, 10),
        host=_host(values, debug),
        port=_whole_number(values, "PORT", 8000, 1, 65535),
        data_dir=data_dir,
    )


def _switch(values: Mapping[str, str], name: str, default: bool) -> bool:
    if name not in values:
        return default
    try:
        return WORDS[values[name].lower()]
    except KeyError:
        raise BadEnvironment(name, f"{values[name]!r} is not valid. Use 1 or 0.") from None


def _whole_number(values: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdigit() and low <= int(text[:9]) <= high):
        raise BadEnvironment(name, f"{text!r} is not valid. Use a whole number from {low} to {high}.")
    return int(text)


def _data_dir(text: str | None, base: Path) -> Path:
    path = Path(text) if text else base / "var"
    if not path.is_absolute():
        raise BadEnvironment("DATA_DIR", f"{text!r} is not an absolute path.")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadEnvironment("DATA_DIR", f"{path} cannot be created: {error.strerror}.") from None
    return path


def _secret_key(values: Mapping[str, str], debug: bool, data_dir: Path) -> str:
    if "SECRET_KEY" in values:
        return values["SECRET_KEY"]
    if not debug:
        raise BadEnvironment("SECRET_KEY", "is required when DEBUG is off. Use at least 50 random characters.")
    return _kept_secret(data_dir / "secret_key")


def _kept_secret(path: Path) -> str:
    """Return the secret at `path`, created on the first start; concurrent first starts agree on one."""
    try:
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=path.parent) as fresh:  # mode 0600
                fresh.write(secrets.token_urlsafe(50))
                fresh.flush()
                path.hardlink_to(fresh.name)
    except FileExistsError:
        pass
    except OSError as error:
        raise BadEnvironment("DATA_DIR", f"{path} cannot be written: {error.strerror}.") from None
    return path.read_text()


def _allowed_hosts(values: Mapping[str, str], debug: bool) -> list[str]:
    hosts = [host.strip() for host in values.get("ALLOWED_HOSTS", ",".join(LOCAL_HOSTS)).split(",") if host.strip()]
    for host in hosts:
        if host == "*" and not debug:
            raise BadEnvironment("ALLOWED_HOSTS", "'*' is not allowed. List the host names.")
        if host != "*" and not HOST_NAME.fullmatch(host):
            raise BadEnvironment("ALLOWED_HOSTS", f"{host!r} is not a valid host name, e.g. crm.example.com.")
    return hosts


def _host(values: Mapping[str, str], debug: bool) -> str:
    host = values.get("HOST", "127.0.0.1")
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise BadEnvironment("HOST", f"{host!r} is not an address to listen on, e.g. 127.0.0.1.") from None
    if debug and "DEBUG" not in values and not address.is_loopback:
        raise BadEnvironment("HOST", f"{host} would expose a debug server to the network. Set SECRET_KEY or DEBUG=1.")
    return host


def _database(url: str, data_dir: Path) -> dict:
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        return _sqlite(url, data_dir)
    if scheme in ("postgres", "postgresql"):
        return _postgres(url)
    raise BadEnvironment(
        "DATABASE_URL", "is not valid. Use sqlite:////absolute/path or postgres://user:password@host/name."
    )


def _sqlite(url: str, data_dir: Path) -> dict:
    parts = urlsplit(url)
    path = Path(unquote(parts.path[1:]))
    if parts.netloc or parts.query or not path.is_absolute():
        raise BadEnvironment("DATABASE_URL", "is not an absolute path. Use sqlite:////absolute/path.")
    if path.is_dir() or not path.parent.is_dir():
        raise BadEnvironment("DATABASE_URL", f"{path} is a directory, or its directory does not exist.")
    return {
        "ENGINE": "crm.kit.sqlite",
        "NAME": str(path),
        "OPTIONS": SQLITE_OPTIONS,
        # A file, as in production: threads of a test share it, and WAL does not exist in memory.
        "TEST": {"NAME": str(data_dir / "test.sqlite3")},
    }


def _postgres(url: str) -> dict:
    # Parsed by libpq, which knows every option; its own message may quote part of the password.
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        options = conninfo_to_dict(url)
    except ProgrammingError:
        raise BadEnvironment(
            "DATABASE_URL", "is not an address that the PostgreSQL client understands. Check its options and escape %."
        ) from None
    if not options.get("dbname"):
        raise BadEnvironment("DATABASE_URL", "has no database name. Use postgres://user:password@host/name.")
    port = str(options.pop("port", ""))
    if port and not re.fullmatch(r"[1-9][0-9]{0,4}", port):
        raise BadEnvironment("DATABASE_URL", f"{port!r} is not a valid port.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname"),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": port,
        # Queries that crm.kit.compiled_queries plans once are prepared immediately; Django's own cursors never prepare.
        "OPTIONS": options | {"prepare_threshold": 0, "options": f"{WITHOUT_JIT} {options.get('options', '')}".strip()},
        # One persistent connection per thread: threads are few and fixed, so a pool would only add its own. Why:
        # docs/decisions/0063-connections-are-kept-per-thread.md
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def _uploads(url: str) -> dict:
    if not url:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    parts = _split("STORAGE_URL", url)
    if parts.scheme != "s3" or not BUCKET.fullmatch(parts.hostname or "") or parts.path.strip("/"):
        raise BadEnvironment(
            "STORAGE_URL", "is not valid. Use s3://key:secret@bucket?region=eu-central-1, with / in the secret as %2F."
        )
    options = dict(parse_qsl(parts.query))
    if unknown := options.keys() - {"region", "endpoint", "prefix"}:
        raise BadEnvironment("STORAGE_URL", f"s3: has no option {min(unknown)!r}.")
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise BadEnvironment("STORAGE_URL", "needs the packages of requirements/s3.txt.")
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _bucket(parts, options)}


def _bucket(parts: SplitResult, options: Mapping[str, str]) -> dict:
    return {
        "bucket_name": parts.hostname,
        # Without keys boto3 looks for them, e.g. in the role of the machine.
        "access_key": unquote(parts.username) if parts.username else None,
        "secret_key": unquote(parts.password) if parts.password else None,
        "region_name": options.get("region"),
        "endpoint_url": options.get("endpoint"),
        "location": options.get("prefix", ""),
        "file_overwrite": False,
        "max_memory_size": IN_MEMORY,
    }


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its own message may quote part of the password
        raise BadEnvironment(name, "is not an address. Check its port, and escape / in passwords as %2F.") from None
    return parts


def _redis(url: str) -> str:
    if not url:
        return ""
    parts = _split("REDIS_URL", url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise BadEnvironment("REDIS_URL", "is not valid. Use redis://host:6379/0 (rediss:// for TLS).")
    return url


def _metrics_token(token: str) -> str:
    if token and (len(token) < 20 or not token.isascii() or " " in token):
        raise BadEnvironment("METRICS_TOKEN", "is too easy to guess. Use at least 20 random letters and digits.")
    return token


def _networks(text: str) -> list:
    try:
        return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError:
        raise BadEnvironment("WEBHOOK_NETWORKS", "is not a list of networks, e.g. 10.20.0.0/16, fd00::/8.") from None


def _identity_provider(values: Mapping[str, str]) -> IdentityProvider | None:
    domains = tuple(part.strip().lower() for part in values.get("OIDC_DOMAINS", "").split(",") if part.strip())
    if wrong := [domain for domain in domains if "." not in domain or not HOST_NAME.fullmatch(domain)]:
        raise BadEnvironment("OIDC_DOMAINS", f"{wrong[0]!r} is not a domain, e.g. example.com.")
    if "OIDC_ISSUER" not in values:
        return None
    issuer = values["OIDC_ISSUER"]
    parts = _split("OIDC_ISSUER", issuer)
    is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise BadEnvironment("OIDC_ISSUER", f"{issuer!r} is not valid. Use https://accounts.example.com.")
    for name in ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"):
        if name not in values:
            raise BadEnvironment(name, "is required with OIDC_ISSUER.")
    name = values.get("OIDC_NAME") or parts.hostname
    return IdentityProvider(name[:40], issuer, values["OIDC_CLIENT_ID"], values["OIDC_CLIENT_SECRET"], domains)


def _mail(url: str) -> Mail:
    parts = _split("EMAIL_URL", url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := options.keys() - ({"from", "tls", "ssl"} if parts.scheme == "smtp" else {"from"}):
        raise BadEnvironment("EMAIL_URL", f"{parts.scheme}: has no option {min(unknown)!r}.")
    sender = options.get("from", "Throughline <throughline@localhost>")
    if parts.scheme == "console":
        return Mail("console", sender)
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        return Mail("filebased", sender, directory=unquote(parts.path))
    if parts.scheme == "smtp" and parts.hostname:
        return _smtp(parts, options, sender)
    raise BadEnvironment(
        "EMAIL_URL", "is not valid. Use file:///directory, smtp://user:password@host:587/?tls=1 or console:."
    )


def _smtp(parts: SplitResult, options: Mapping[str, str], sender: str) -> Mail:
    tls, ssl = (_switch({"EMAIL_URL": options.get(key, "0")}, "EMAIL_URL", False) for key in ("tls", "ssl"))
    if tls and ssl:
        raise BadEnvironment("EMAIL_URL", "has both tls and ssl. Use tls=1 (STARTTLS, port 587) or ssl=1 (port 465).")
    return Mail(
        "smtp",
        sender,
        host=parts.hostname or "",
        port=parts.port or (465 if ssl else 587 if tls else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
        ssl=ssl,
    )
