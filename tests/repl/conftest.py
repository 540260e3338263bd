import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts import token_owners
from accounts.client_tokens import make_client_token
from tests.ratelimits.redis_server import RedisServer
from tests.repl import stock
from tests.server import Service


@pytest.fixture(autouse=True)
def _no_token_remembered() -> Iterator[None]:
    """Row ids begin anew in each test."""
    yield
    token_owners.forget_everything()


def new_token(secret: str, *, age_ms: float = 0, account_id: int | None = None) -> str:
    return make_client_token(secret=secret, created_ms=int(time.time() * 1000 - age_ms), account_id=account_id)


@pytest.fixture
def token(service: Service) -> Callable[..., str]:
    """Makes tokens of the running service's demo account."""
    return lambda **options: new_token(service.demo["secret"], **options)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stock_client(service: Service, token: Callable[..., str]) -> Callable[..., Any]:
    """Runs a script with the stock client; gives its verdict."""
    return lambda script, **environment: stock.run(service, token(), script, **environment)
