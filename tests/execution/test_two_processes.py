"""Two web processes of one installation, which share keys, limits and quotas through Redis."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ratelimits.redis_server import RedisServer
from tests.server import Service, running_service

GOOD = {"compiler": "python-3.14", "code": "print(1)"}
SLOW = {"compiler": "python-3.14", "code": "import time; time.sleep(1.5)"}
RUN = "/api/run-code-sync/"

MAKE_KEY = """
from accounts.key_lifecycle import create_api_key
from accounts.models import Organisation
organisation = Organisation.objects.get(secret={secret!r})
print(create_api_key(organisation=organisation, created_by=None, name="Short-lived")[1])
"""
REVOKE = """
from accounts.key_lifecycle import revoke_api_key
from accounts.models import ApiKey
revoke_api_key(key=ApiKey.objects.get(name="Short-lived"))
"""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared(redis: RedisServer) -> Iterator[Service]:
    with running_service(REDIS_URL=redis.url) as service:
        yield service


@pytest.fixture(scope="module")
def urls(shared: Service) -> Iterator[tuple[str, str]]:
    with shared.second_web() as second:
        yield shared.url, second


def test_a_key_revoked_by_one_process_is_401_at_the_very_next_call_to_any(shared: Service, urls: tuple[str, str]):
    key = shared.manage("shell", "-v0", "-c", MAKE_KEY.format(secret=shared.demo["secret"])).decode().strip()
    headers = {"Authorization": key}
    for url in urls:
        for _ in range(2):
            assert httpx.post(url + RUN, json=GOOD, headers=headers, timeout=30).status_code == 200
    shared.manage("shell", "-v0", "-c", REVOKE)
    for url in urls:
        response = httpx.post(url + RUN, json=GOOD, headers=headers, timeout=30)
        assert (response.status_code, response.json()["code"]) == (401, "key_revoked")


async def test_the_fifth_call_at_once_is_refused_over_both_processes(shared: Service, urls: tuple[str, str]):
    async with shared.async_client() as client:
        calls = [client.post(urls[number % 2] + RUN, json=SLOW) for number in range(5)]
        answers = await asyncio.gather(*calls)
    (refused,) = [answer for answer in answers if answer.status_code != 200]
    assert (refused.status_code, refused.json()["code"]) == (429, "concurrency_limit")


def test_runs_are_counted_together(shared: Service, urls: tuple[str, str]):
    before = shared.usage()["runs_used"]
    for url in urls:
        for _ in range(3):
            headers = {"Authorization": shared.demo["api_key"]}
            assert httpx.post(url + RUN, json=GOOD, headers=headers, timeout=30).status_code == 200
    secret = shared.demo["secret"]
    assert [httpx.get(f"{url}/cus/{secret}/").json()["runs_used"] for url in urls] == [before + 6] * 2


def test_each_is_ready_and_says_that_redis_is_part_of_it(urls: tuple[str, str]):
    for url in urls:
        assert httpx.get(f"{url}/readyz").json()["checks"] == {"database": "ok", "sandbox": "ok", "redis": "ok"}


def test_without_redis_a_second_web_process_is_refused_with_the_remedy(service: Service):
    with pytest.raises(AssertionError), service.second_web():
        pass
    assert "set REDIS_URL" in service.log()


def test_it_says_when_redis_is_gone_and_recovers(tmp_path: Path):
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        with running_service(REDIS_URL=redis.url) as service:
            headers = {"Authorization": service.demo["api_key"]}
            redis.kill()
            response = httpx.get(f"{service.url}/readyz", timeout=30)
            assert response.status_code == 503
            assert response.json()["code"] == "not_ready"
            assert [error["field"] for error in response.json()["errors"]] == ["redis"]
            refused = httpx.post(service.url + RUN, json=GOOD, headers=headers, timeout=30)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            redis.start()
            service.wait_until_ready()
            assert httpx.post(service.url + RUN, json=GOOD, headers=headers, timeout=30).status_code == 200
    finally:
        redis.stop()
