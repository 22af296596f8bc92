import socket
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, connections

from crm.kit.command import TranslatedCommand
from crm.kit.instance import AlreadyRunning, claim
from crm.kit.server import Server, beside_the_web
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

DEMO = {"acme": ("viewer", "rep", "mate", "outsider", "manager", "admin"), "globex": ("rep", "admin")}
DEMO_PASSWORD = "throughline-demo"  # noqa: S105  (stands on the sign-in page of every demo)


class Command(TranslatedCommand):
    """The command behind `make run`. Exit status 0 after a stop, 1 without a database, 2 if it must not start."""

    help = _("Start Throughline: migrate, load demo data on the first start under DEBUG, serve until Ctrl-C.")
    requires_system_checks = "__all__"

    def add_arguments(self, parser):
        parser.add_argument(
            "--web-only", action="store_true", help=gettext("don’t start the engine and its workers in this process")
        )

    def handle(self, *args, web_only, **options):
        if web_only:
            beside_the_web.clear()
        host, port = settings.ENV.host, settings.ENV.port
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        _close_files(settings.ENV.data_dir, Path(str(connection.settings_dict["NAME"])))
        with _claimed_database():
            _refuse_taken_port(host, port)
            self._prepare()
            greeting = _greeting(address)
            connections.close_all()  # the server forks, and processes must not share a connection
            Server(address, on_ready=lambda: self.stdout.write(greeting)).run()

    def _prepare(self) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            raise CommandError(gettext("Can’t use the database: {reason}").format(reason=_why(error))) from error
        if settings.DEBUG and "load_demo" in get_commands() and not get_user_model().objects.exists():
            self.stdout.write(gettext("First start. Loading demo data…"))
            call_command("load_demo")
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)


def _close_files(data_dir: Path, database: Path) -> None:
    """Restrict existing files (database, uploads, secrets) to their owner, whatever created them."""
    beside = database.parent.glob(f"{database.name}*") if connection.vendor == "sqlite" else ()
    for path in (data_dir, *data_dir.rglob("*"), *beside):
        with suppress(OSError):  # another user's, or already deleted
            if not path.is_symlink() and (mode := path.stat().st_mode) & 0o077:
                path.chmod(mode & ~0o077)


def _why(error: DatabaseError) -> str:
    """Return a helpful message: SQLite says a damaged file is malformed or no database, but not which file."""
    why = str(error).splitlines()[0]
    if connection.vendor != "sqlite" or not ("malformed" in why or "not a database" in why):  # not a text
        return why
    file = connection.settings_dict["NAME"]
    sentence = gettext("{file} is damaged ({reason}). Move it away and restore a backup with manage.py restore.")
    return sentence.format(file=file, reason=why)


def _claimed_database() -> AbstractContextManager:
    if connection.vendor != "sqlite":
        return nullcontext()
    try:
        return claim(Path(connection.settings_dict["NAME"]))
    except AlreadyRunning as error:
        raise CommandError(str(error), returncode=2) from None


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        sentence = gettext("PORT: can’t listen on {host} port {port}: {reason}.")
        raise CommandError(sentence.format(host=host, port=port, reason=error.strerror), returncode=2) from None


def _greeting(address: str) -> str:
    lines = [gettext("Throughline is running at {url} (press Ctrl-C to stop).").format(url=f"http://{address}")]
    people = {f"{name}@{slug}.example": slug for slug, names in DEMO.items() for name in names}
    if get_user_model().objects.filter(email__in=people).exists():
        lines += [gettext("Sign in with the password {password} as:").format(password=DEMO_PASSWORD)]
        lines += [f"  {slug:7} {' '.join(email for email in people if people[email] == slug)}" for slug in DEMO]
    return "\n".join(lines)
