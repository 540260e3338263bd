from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from billing.metering import metering_service
from config.asgi import http
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast
from tests.sandbox.supervisors import RunningSupervisor

Post = Callable[..., Awaitable[httpx.Response]]

RUN = "/api/run-code-sync/"


class Api:
    """Calls the application in this process, as whoever `key` belongs to, from whichever address."""

    def __init__(self, key: str) -> None:
        self.key = key

    async def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        address: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        key = self.key if key is None else key
        transport = httpx.ASGITransport(http, client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            sent = {**({"Authorization": key} if key else {}), **(headers or {})}
            return await client.request(method, path, headers=sent, **options)

    async def run(self, code: str = "print(1)", compiler: str = "python-3.14", **fields: Any) -> dict[str, Any]:
        """The result of a run that is accepted."""
        response = await self.post({"compiler": compiler, "code": code, **fields})
        assert response.status_code == 200, response.text
        result: dict[str, Any] = response.json()
        return result

    async def post(self, body: Any, **options: Any) -> httpx.Response:
        return await self.request("POST", RUN, json=body, **options)


@pytest.fixture
async def api(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[Api]:
    """The API as Alice calls it."""
    async with metering_service(), sandbox_connections():
        yield Api(cast.alice.api_key)
