from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from billing.metering import metering_service
from execution.batches.worker import batch_service
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast
from tests.execution.conftest import Api
from tests.sandbox.supervisors import RunningSupervisor

BATCH = "/api/run-code-batch/"

DOUBLE = {"compiler": "python-3.14", "code": "print(int(input()) * 2)"}
CPP_DOUBLE = {
    "compiler": "g++-15",
    "code": "#include <iostream>\nint main() { long n; std::cin >> n; std::cout << n * 2 << std::endl; }",
}


class BatchApi(Api):
    """Batches as whoever `key` belongs to sends them."""

    async def batch(self, *tests: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The answer to a batch that is accepted: of a program that doubles a number, unless another is named."""
        response = await self.send(*tests, **fields)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def send(
        self, *tests: dict[str, Any], headers: dict[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        body = {**DOUBLE, "tests": list(tests), **fields}
        return await self.request("POST", BATCH, json=body, headers=headers)

    async def get(self, path: str) -> dict[str, Any]:
        response = await self.request("GET", path)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
async def api(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[BatchApi]:
    """The API as Alice calls it, with the service that carries out asynchronous batches."""
    async with metering_service(), sandbox_connections(), batch_service():
        yield BatchApi(cast.alice.api_key)


def verdicts(answer: dict[str, Any]) -> list[str | None]:
    return [test["verdict"] for test in answer["results"]]
