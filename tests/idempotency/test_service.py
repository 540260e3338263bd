"""The same over restarts and sudden deaths of the web process, and between two of them."""

import concurrent.futures
import os
import signal
import time
import uuid

import httpx
import pytest

from tests.execution.test_service import settled_usage
from tests.ratelimits.redis_server import RedisServer
from tests.server import Service, running_service, wait_until

RUN = "/api/run-code-sync/"
RANDOM = {"compiler": "python-3.14", "code": "import os; print(os.urandom(8).hex())"}


def send(service: Service, body: dict[str, str], name: str, url: str = "") -> httpx.Response:
    headers = {"Authorization": service.demo["api_key"], "Idempotency-Key": name}
    return httpx.post(f"{url or service.url}{RUN}", json=body, headers=headers, timeout=60)


@pytest.fixture
def name() -> str:
    return str(uuid.uuid4())


def kill_web(service: Service) -> None:
    web = service.web
    os.kill(web, signal.SIGKILL)
    wait_until(lambda: service.process.poll() is not None or web != _web(service), service.log)
    service.wait_until_ready()


def _web(service: Service) -> int | None:
    try:
        return service.web
    except AssertionError:
        return None


def test_an_answer_survives_the_death_of_its_process(service: Service, name: str):
    before = settled_usage(service)
    first = send(service, RANDOM, name)
    assert first.status_code == 200
    kill_web(service)
    second = send(service, RANDOM, name)
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert settled_usage(service) == before + 1


def test_a_request_whose_process_dies_can_be_sent_again_and_is_billed_once(service: Service, name: str):
    before = settled_usage(service)
    slow = {**RANDOM, "code": "import time; time.sleep(2)\n" + RANDOM["code"]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        dying = pool.submit(send, service, slow, name)
        time.sleep(0.7)
        kill_web(service)
        with pytest.raises(httpx.HTTPError):
            dying.result()
    deadline = time.monotonic() + 60
    while (answer := send(service, slow, name)).status_code == 409:
        assert answer.json()["code"] == "idempotency_in_progress"
        assert time.monotonic() < deadline
        time.sleep(int(answer.headers["Retry-After"]))
    assert answer.status_code == 200
    assert send(service, slow, name).content == answer.content
    assert settled_usage(service) == before + 1


def test_two_processes_carry_a_request_out_once(redis_server: RedisServer, name: str):
    with running_service(REDIS_URL=redis_server.url) as service, service.second_web() as second:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            urls = [service.url, second] * 4
            answers = list(pool.map(lambda url: send(service, RANDOM, name, url), urls))
        carried_out = [answer for answer in answers if answer.status_code == 200]
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert len({answer.content for answer in carried_out}) == 1
        assert send(service, RANDOM, name, second).content == carried_out[0].content
        assert settled_usage(service) == 1
