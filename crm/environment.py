"""The environment, read once and checked: a value that makes no sense stops the start with its name."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit


class BadEnvironment(SystemExit):
    """An environment variable is unusable; the message names it. Exit status 2."""

    def __init__(self, name: str, why: str):
        super().__init__(f"{name}: {why}")
        self.code = f"{name}: {why}"


@dataclass(frozen=True)
class Environment:
    """What the settings are made of."""

    secret_key: str
    debug: bool
    allowed_hosts: list[str]
    database: dict
    data_dir: Path


def read(base: Path) -> Environment:
    """Read os.environ. Raises BadEnvironment."""
    data_dir = base / "var"
    data_dir.mkdir(exist_ok=True)
    debug = os.environ.get("DEBUG", "1") not in ("0", "false", "no", "off", "")
    return Environment(
        secret_key=os.environ.get("SECRET_KEY") or _kept_secret(data_dir),
        debug=debug,
        allowed_hosts=[h for h in os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",") if h],
        database=_database(os.environ.get("DATABASE_URL") or f"sqlite:///{data_dir}/throughline.sqlite3"),
        data_dir=data_dir,
    )


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def _database(url: str) -> dict:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(parts.path)}
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
        }
    raise BadEnvironment("DATABASE_URL", "sqlite:////absolute/path or postgres://user@host/name")
