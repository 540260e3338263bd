"""Every call that counts tells the limits, and every refusal of one when to come again."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from billing import subscriptions
from billing.metering import metering_service
from billing.plans import FREE, Plan, Rate
from execution.openapi.operations import OPERATIONS
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast
from tests.execution.conftest import Api
from tests.execution.test_errors import check_shape
from tests.sandbox.supervisors import RunningSupervisor

COUNTED = [operation for operation in OPERATIONS if operation.counted]
PATHS = {
    "run_code_sync": "/api/run-code-sync/",
    "run_code": "/api/run-code/",
    "v1_execute": "/v1/execute",
    "run_code_batch": "/api/run-code-batch/",
    "execute": "/execute",
}


@pytest.fixture
async def api(cast: Cast, sandbox: RunningSupervisor) -> AsyncIterator[Api]:
    async with metering_service(), sandbox_connections():
        yield Api(cast.alice.api_key)


def on(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    monkeypatch.setattr(subscriptions, "look_up", lambda _organisation_id: subscriptions.Standing(plan=plan))


@pytest.mark.parametrize("operation", COUNTED, ids=lambda operation: operation.id)
async def test_a_counted_call_tells_the_limits(api, operation):
    response = await api.request("POST", PATHS[operation.url], json=operation.example)
    assert response.status_code in operation.answers, response.text
    assert '"runs";r=' in response.headers["RateLimit"]
    assert '"runs";q=' in response.headers["RateLimit-Policy"]


@pytest.mark.parametrize("operation", COUNTED, ids=lambda operation: operation.id)
async def test_past_the_rate_it_is_refused_and_told_when_to_come_again(api, operation, monkeypatch):
    on(monkeypatch, replace(FREE, rate=Rate(per_second=0.01, burst=1)))
    await api.request("POST", PATHS["run_code_sync"], json=COUNTED[0].example)
    response = await api.request("POST", PATHS[operation.url], json=operation.example)
    check_shape(response, 429, "rate_limit")
    assert int(response.headers["Retry-After"]) >= 1
    assert '"requests";r=0' in response.headers["RateLimit"]


@pytest.mark.parametrize("operation", COUNTED, ids=lambda operation: operation.id)
async def test_past_the_quota_it_is_refused_and_told_when_to_come_again(api, operation, monkeypatch):
    on(monkeypatch, replace(FREE, runs_per_month=1))
    await api.request("POST", PATHS["run_code_sync"], json=COUNTED[0].example)
    response = await api.request("POST", PATHS[operation.url], json=operation.example)
    check_shape(response, 429, "run_quota")
    assert int(response.headers["Retry-After"]) >= 1
    assert '"runs";r=0' in response.headers["RateLimit"]
