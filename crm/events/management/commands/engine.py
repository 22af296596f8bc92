import signal

from django.conf import settings
from django.core.management.base import BaseCommand

from crm.celery import app
from crm.events.engine import Engine
from crm.events.tasks import deliver


class Command(BaseCommand):
    help = (
        "Run the engine in a process of its own, until SIGTERM or Ctrl-C: relay, scheduler, and either a sender to the "
        "Celery workers (REDIS_URL) or executors (without it). Several may run at once."
    )
    requires_system_checks = "__all__"

    def handle(self, *args, **options):
        app.set_current()
        engine = Engine(task=deliver if settings.CELERY_BROKER_URL else None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: engine.stopping.set())
        engine.start()
        engine.stopping.wait()
        engine.stop()
