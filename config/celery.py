"""Celery's application, for installations with a broker: `celery -A config worker -Q sandbox` or `-Q control`.

The queue `sandbox` is for runs, on hosts with a sandbox supervisor; `control` is for everything else. A message says
that something waits, not what: that stands in the database (execution.async_runs, execution.callbacks).
"""

import os
from typing import Any, Final

import django
from celery import Celery
from celery.signals import setup_logging, worker_process_shutdown, worker_shutting_down
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if not apps.ready:
    # In a worker; the web has done so before.
    django.setup(set_prefix=False)

# Below the set-up, because these import models.
from django.conf import settings

from execution.tasks_host import stop_host
from execution.tickets import CARRY_OUT_NEXT

CONNECT_SECONDS: Final = 2.0

app = Celery("runcode")
app.conf.update(
    broker_url=settings.BROKER or "memory://",
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": None},
    task_default_queue="control",
    task_routes={CARRY_OUT_NEXT: {"queue": "sandbox"}},
    task_ignore_result=True,
    # The work of all of a worker's tasks happens on one event loop; they only wait for it.
    worker_pool="threads",
    worker_prefetch_multiplier=1,
)
# Also for the threads that send messages.
app.set_default()
app.autodiscover_tasks(["execution"])


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logging(**_: Any) -> None:
    """Celery leaves logging alone when somebody listens to this signal: it is set up with the settings."""


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    stop_host()
