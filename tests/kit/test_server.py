import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.kit.commands import ROOT, environment, get
from tests.services import free_port

pytestmark = pytest.mark.once

SERVE = """
import sys, threading, time, django
django.setup()
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path
from crm.kit import server

@login_not_required
def slow(request):
    time.sleep(1)
    return HttpResponse("finished")

def beside(name):
    def start():
        print("start", name, flush=True)
        return lambda: print("stop", name, flush=True)
    return start

urlpatterns = [path("slow", slow)]
settings.ROOT_URLCONF = "__main__"
server.beside_the_web += [beside("relay"), beside("scheduler")]
server.Server(f"127.0.0.1:{sys.argv[1]}", lambda: print("ready", flush=True)).run()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_the_request_finish_and_ends_what_runs_beside_the_web(tmp_path, number):
    port, answers = free_port(), []
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)],
        cwd=ROOT,
        env=environment(tmp_path, DJANGO_SETTINGS_MODULE="crm.settings"),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        started = {server.stdout.readline().strip() for _ in range(3)}
        assert started == {"ready", "start relay", "start scheduler"}
        client = threading.Thread(target=lambda: answers.append(get(port, "/slow")[:2]))
        client.start()
        time.sleep(0.5)
        os.killpg(server.pid, number)  # the whole group, as with Ctrl-C
        client.join()
        output, _ = server.communicate(timeout=20)
    finally:
        server.kill()
    assert answers == [(200, "finished")]
    assert output.splitlines() == ["stop scheduler", "stop relay"]
    assert server.returncode == 0
