"""The plan's limits, as a caller of the API meets them."""

import asyncio
import re

import pytest

from billing import subscriptions
from billing.plans import FREE
from billing.usage import ausage_of
from tests.execution.test_errors import GOOD, check_shape

SLOW = {**GOOD, "code": "import time; time.sleep(2)\nprint('done')"}


@pytest.fixture
def plan_of_two(monkeypatch):
    """The free plan as it would be with two runs a month."""
    small = subscriptions.Standing(plan=_with(runs_per_month=2))
    monkeypatch.setattr(subscriptions, "look_up", lambda _organisation_id: small)


def _with(**changes):
    fields = {name: getattr(FREE, name) for name in FREE.__dataclass_fields__}
    return type(FREE)(**{**fields, **changes})


async def test_the_fifth_call_at_once_is_refused_at_once(api):
    calls = [asyncio.create_task(api.post(SLOW)) for _ in range(5)]
    first, running = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = first
    assert len(running) == 4
    check_shape(refused.result(), 429, "concurrency_limit")
    assert int(refused.result().headers["Retry-After"]) >= 1
    answers = [await call for call in calls if call is not refused]
    assert [answer.json()["output"] for answer in answers] == ["done\n"] * 4


async def test_a_place_is_free_again_when_its_run_has_ended(api):
    for _ in range(3):
        assert {answer.status_code for answer in await asyncio.gather(*(api.post(GOOD) for _ in range(4)))} == {200}


async def test_places_belong_to_a_key(api, cast):
    calls = [asyncio.create_task(api.post(SLOW)) for _ in range(4)]
    other = await api.post(GOOD, key=cast.bob.api_key)
    assert other.status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}


@pytest.mark.usefixtures("plan_of_two")
async def test_the_run_after_the_quota_is_refused(api, cast):
    for left in (1, 0):
        response = await api.post(GOOD)
        assert response.status_code == 200
        assert f'"runs";r={left};' in response.headers["RateLimit"]
    refused = await api.post(GOOD)
    check_shape(refused, 429, "run_quota")
    assert int(refused.headers["Retry-After"]) > 0
    assert '"runs";q=2;' in refused.headers["RateLimit-Policy"]
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 2


@pytest.mark.usefixtures("plan_of_two")
async def test_the_quota_cannot_be_overrun_at_once(api):
    answers = await asyncio.gather(*(api.post(SLOW) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429]


@pytest.mark.usefixtures("plan_of_two")
async def test_a_quota_is_shared_within_an_organisation_and_not_beyond(api, cast):
    await api.post(GOOD)
    await api.post(GOOD, key=cast.bob.api_key)
    check_shape(await api.post(GOOD), 429, "run_quota")
    assert (await api.post(GOOD, key=cast.charlie.api_key)).status_code == 200


@pytest.mark.usefixtures("plan_of_two")
async def test_a_run_whose_client_went_away_is_given_back(api, cast):
    call = asyncio.create_task(api.post({**GOOD, "code": "import time; time.sleep(20)"}))
    await asyncio.sleep(0.3)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 0
    for _ in range(2):
        assert (await api.post(GOOD)).status_code == 200


async def test_a_failing_program_counts_like_any_other(api, cast):
    for code in ("exit(3)", "while True: pass"):
        await api.run(code, time_limit=0.2)
    await api.run("nonsense", "gcc-15")
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 3


async def test_every_counted_answer_tells_the_limits(api):
    response = await api.post(GOOD)
    policy = response.headers["RateLimit-Policy"]
    assert f'"runs";q={FREE.runs_per_month};w=' in policy
    assert f"q={FREE.sync_concurrency}" in policy
    assert re.search(rf'"runs";r={FREE.runs_per_month - 1};t=\d+', response.headers["RateLimit"])


async def test_a_refused_request_tells_none(api):
    assert "RateLimit" not in (await api.post([])).headers
