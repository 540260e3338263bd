"""Two processes, one database, one Redis: what one revokes, the other refuses on its very next call."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.ratelimits.redis_server import RedisServer


class WebProcess:
    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.accounts.key_checker"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def wait_until_healthy(self, healthy: bool = True) -> None:
        deadline = time.monotonic() + 30
        while self.ask("healthy")["healthy"] is not healthy:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(timeout=20) == 0


@pytest.fixture
def processes(redis_server: RedisServer, tmp_path: Path) -> Iterator[tuple[WebProcess, WebProcess]]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "RUNCODE_HOME": str(tmp_path),
        "REDIS_URL": redis_server.url,
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=settings.BASE_DIR, env=environment, check=True
    )
    started = WebProcess(environment), WebProcess(environment)
    for process in started:
        process.wait_until_healthy()
    yield started
    for process in started:
        process.stop()


def test_a_revoked_key_is_refused_on_the_next_call_in_the_other_process(
    processes: tuple[WebProcess, WebProcess],
) -> None:
    one, other = processes
    for _ in range(20):
        made = one.ask("make")
        for process in processes:
            process.ask("check", made["key"])
            assert process.ask("check", made["key"]) == {"answer": "accepted", "remembered": True}

        one.ask("revoke", made["id"])

        assert other.ask("check", made["key"])["answer"] == "401 key_revoked"
        assert one.ask("check", made["key"])["answer"] == "401 key_revoked"


def test_a_revocation_holds_though_redis_is_gone(
    processes: tuple[WebProcess, WebProcess], redis_server: RedisServer
) -> None:
    one, other = processes
    made = one.ask("make")
    other.ask("check", made["key"])
    redis_server.kill()
    other.wait_until_healthy(False)
    assert other.ask("check", made["key"])["answer"] == "accepted"

    one.ask("revoke", made["id"])
    assert other.ask("check", made["key"])["answer"] == "401 key_revoked"

    redis_server.start()
    for process in processes:
        process.wait_until_healthy()
        assert process.ask("check", made["key"])["answer"] == "401 key_revoked"
