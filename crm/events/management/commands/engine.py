import signal

from django.conf import settings

from crm.celery import app
from crm.events.engine import Engine
from crm.events.tasks import deliver
from crm.kit.command import TranslatedCommand
from crm.kit.translation import gettext_lazy as _


class Command(TranslatedCommand):
    help = _(
        "Run the background engine in a separate process until SIGTERM or Ctrl-C. With REDIS_URL it sends jobs to "
        "Celery workers. Without, it runs them itself. Several engines can run at once."
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
