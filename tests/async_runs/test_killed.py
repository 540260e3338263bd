"""kill -9 while hundreds of runs are queued, carried out and delivered to an endpoint that fails a third of the time.

Each program prints a random number, so that a second execution would be seen: every message about a run, and what is
recorded of it, must carry the same one.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import WebhookVerificationError

from tests.callbacks.receiver import Received, Receiver, receiving
from tests.ratelimits.redis_server import RedisServer
from tests.server import REPOSITORY, Service, running_service, wait_until

PROGRAM = {"compiler": "python-3.14", "code": "import os; print(os.urandom(16).hex())"}
SEVERAL_AT_ONCE = 4

SEND_TO = """
from accounts.models import ApiKey
from execution.callbacks.endpoints import endpoint_of
ApiKey.objects.update(redirect_url="{}")
print(endpoint_of(ApiKey.objects.get().pk).secret)
"""
LOOK = """
import json
from billing.models import RunCharge, UsagePeriod
from execution.models import Delivery, Run
print(json.dumps({
    "runs": [[run.pk, run.uuid.hex, run.status, run.outcome, bytes(run.stdout or b"").decode(), run.attempts]
             for run in Run.objects.all()],
    "billed": [charge.pk.hex for charge in RunCharge.objects.all()],
    "counted": sum(period.runs for period in UsagePeriod.objects.all()),
    "states": sorted({delivery.state for delivery in Delivery.objects.all()}),
}))
"""


def look(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(service.manage("shell", "-v", "0", "-c", LOOK))
    return found


def queue_runs(service: Service, number: int) -> list[int]:
    """Queues so many runs, past restarts of the service; the ids that were answered."""
    ids: list[int] = []
    left = iter(range(number))
    taking = threading.Lock()

    def work() -> None:
        with service.client() as client:
            while True:
                with taking:
                    order = next(left, None)
                if order is None:
                    return
                while True:
                    # An answer that got lost may stand for a run, which is then one more than was asked for.
                    with suppress(httpx.TransportError):
                        answer = client.post("/api/run-code/", json=PROGRAM | {"extra_params": {"order": order}})
                        if answer.status_code == 202:
                            ids.append(answer.json()["id"])
                            break
                        assert answer.status_code in {429, 503}, answer.text
                    time.sleep(0.2)

    threads = [threading.Thread(target=work) for _ in range(SEVERAL_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == number
    return ids


@dataclass
class Judge:
    """A receiver that fails a third of its answers. It checks signatures as messages come, like a customer's would:
    they are good for five minutes. `accepted` are the runs of which a message was answered with a success."""

    receiver: Receiver
    secret: str = ""
    forged: list[str] = field(default_factory=list)
    accepted: set[int] = field(default_factory=set)

    def answer(self, message: Received, number: int) -> int:
        try:
            message.verified(self.secret)
        except WebhookVerificationError as error:
            self.forged.append(str(error))
        if number % 3 == 0:
            return 500
        self.accepted.add(json.loads(message.body)["id"])
        return 204

    def receive_results_of(self, service: Service) -> None:
        self.secret = service.manage("shell", "-v", "0", "-c", SEND_TO.format(self.receiver.url)).decode().strip()


@contextmanager
def judging() -> Iterator[Judge]:
    with receiving() as receiver:
        judge = Judge(receiver)
        receiver.answer = judge.answer
        yield judge


def kill_five_times(judge: Judge, number: int, kills: list[Callable[[], None]], log: Callable[[], str]) -> None:
    """Kills at five points of the way to `number` delivered runs."""
    for step, kill in enumerate(kills, start=1):
        reached = number * step // (len(kills) + 1)
        wait_until(lambda reached=reached: len(judge.accepted) >= reached, log, 300)
        kill()


def check(service: Service, judge: Judge, ids: list[int], *, killed: int) -> None:
    """Everything was delivered, billed once, executed to one recorded outcome, and signed."""
    receiver = judge.receiver
    wait_until(lambda: set(ids) <= judge.accepted, service.log, 300)
    wait_until(lambda: look(service)["states"] == ["delivered"], service.log)
    wait_until(lambda: (found := look(service))["counted"] == len(found["runs"]), service.log)
    found = look(service)
    runs = {pk: (uuid, status, outcome, stdout) for pk, uuid, status, outcome, stdout, _ in found["runs"]}
    assert set(ids) <= set(runs)
    assert {(status, outcome) for _, status, outcome, _ in runs.values()} == {("finished", "success")}
    assert sorted(found["billed"]) == sorted(uuid for uuid, *_ in runs.values())
    assert found["counted"] == len(runs)

    outputs: dict[int, set[str]] = defaultdict(set)
    for message in receiver.received:
        body = json.loads(message.body)
        assert message.headers["webhook-id"] == f"msg_{runs[body['id']][0]}"
        outputs[body["id"]].add(body["output"])
    assert outputs.keys() == runs.keys()
    for pk, printed in outputs.items():
        assert printed == {runs[pk][3]}
    assert judge.forged == []
    # The kills hit something: runs were taken up again, or messages sent again.
    assert killed == 5
    assert len(receiver.received) > len(runs)


@pytest.mark.timeout(600)
def test_five_hundred_runs_while_the_web_is_killed_five_times() -> None:
    with running_service(RUNCODE_CALLBACK_ALLOW_PRIVATE="1") as service, judging() as judge:
        judge.receive_results_of(service)
        ids: list[int] = []
        queueing = threading.Thread(target=lambda: ids.extend(queue_runs(service, 500)))
        queueing.start()
        killed = []

        def kill_web() -> None:
            service.wait_until_ready()
            killed.append(service.web)
            os.kill(killed[-1], signal.SIGKILL)

        kill_five_times(judge, 500, [kill_web] * 5, service.log)
        queueing.join()
        check(service, judge, ids, killed=len(set(killed)))


class CeleryWorker:
    """`celery -A config worker` beside a service, as on a host of its own; started again by hand."""

    def __init__(self, service: Service, queue: str) -> None:
        self.service = service
        self.queue = queue
        self.start()

    def start(self) -> None:
        command = ["celery", "-A", "config", "worker", "-Q", self.queue, "-c", "2", "-l", "warning"]
        with (self.service.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command, "-n", f"{self.queue}@test"],
                cwd=REPOSITORY,
                env=self.service.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.start()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@pytest.mark.timeout(600)
def test_runs_over_celery_while_workers_the_web_and_the_broker_are_killed(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        broker = RedisServer(tmp_path)
        broker.start()
        stack.callback(broker.stop)
        judge = stack.enter_context(judging())
        service = stack.enter_context(
            running_service(
                RUNCODE_CALLBACK_ALLOW_PRIVATE="1",
                REDIS_URL=redis_server.url,
                RUNCODE_BROKER=f"redis+socket://{broker.socket}",
            )
        )
        judge.receive_results_of(service)
        sandbox, control = CeleryWorker(service, "sandbox"), CeleryWorker(service, "control")
        stack.callback(lambda: [worker.process.kill() for worker in (sandbox, control)])
        ids: list[int] = []
        queueing = threading.Thread(target=lambda: ids.extend(queue_runs(service, 150)))
        queueing.start()

        def kill_web() -> None:
            service.wait_until_ready()
            os.kill(service.web, signal.SIGKILL)

        def lose_all_messages() -> None:
            broker.kill()
            broker.start()

        kills = [sandbox.kill, lose_all_messages, kill_web, control.kill, sandbox.kill]
        kill_five_times(judge, 150, kills, service.log)
        queueing.join()
        check(service, judge, ids, killed=5)

        # A worker that is told to stop does not wait for programs: their runs go back into the queue.
        with service.client() as client:
            sleeper = {**PROGRAM, "code": "import time; time.sleep(25)", "poll": True}
            path = f"/api/runs/{client.post('/api/run-code/', json=sleeper).json()['id']}/"
            wait_until(lambda: client.get(path).json()["status"] == "running", service.log)
            stopped_at = time.monotonic()
            assert sandbox.stop() == 0, service.log()
            assert time.monotonic() - stopped_at < 20
            assert client.get(path).json()["status"] == "queued"
            client.post(f"{path}cancel/")
        assert control.stop() == 0, service.log()
