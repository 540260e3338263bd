"""`GET /cus/{SECRET}`, asked of the service's one application as a server asks it."""

import logging
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.organisations import rotate_account_secret
from billing.metering import Metering
from billing.periods import current_month
from billing.plans import FREE, PRO
from billing.subscriptions import subscribe
from config.asgi import application
from tests.billing.runs import caller_of, run
from tests.cast import Cast
from tests.config.asgi_client import Answer, call


async def get(secret: str, *, slash: str = "/", method: str = "GET") -> Answer:
    return await call(application, method, f"/cus/{secret}{slash}")


@pytest.mark.parametrize("slash", ["/", ""])
async def test_it_tells_plan_runs_connections_and_period(cast: Cast, slash: str) -> None:
    answer = await get(cast.alice.organisation.secret, slash=slash)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "plan": "free",
        "connections": 0,
        "connection_limit": FREE.concurrent_connections,
        "runs_used": 0,
        "runs_left": FREE.runs_per_month,
        "period_end": f"{current_month().ends_at:%Y-%m-%dT%H:%M:%S}Z",
    }


async def test_it_is_exact_right_after_a_run(cast: Cast, running: Metering) -> None:
    await run(caller_of(cast.alice.organisation.pk), FREE)
    usage = (await get(cast.alice.organisation.secret)).json()
    assert (usage["runs_used"], usage["runs_left"]) == (1, FREE.runs_per_month - 1)
    assert (await get(cast.charlie.organisation.secret)).json()["runs_used"] == 0


async def test_it_tells_a_new_plan_at_once(cast: Cast) -> None:
    await sync_to_async(subscribe)(cast.alice.organisation.pk, PRO)
    usage = (await get(cast.alice.organisation.secret)).json()
    assert (usage["plan"], usage["runs_left"]) == ("pro", PRO.runs_per_month)


@pytest.mark.parametrize("guess", ["rs_" + "0" * 40, "x", "\x00", "é", "..", " ", "rs_" + "0" * 4000])
async def test_an_unknown_secret_is_a_404_in_the_error_shape(cast: Cast, guess: str) -> None:
    answer = await get(guess)
    assert answer.status == 404
    assert answer.json() == {"code": "not_found", "message": answer.json()["message"], "errors": []}
    assert "account secret" in answer.json()["message"]


async def test_a_key_is_no_secret(cast: Cast) -> None:
    for wrong in (cast.alice.api_key, cast.alice.websocket_key, cast.alice.organisation.secret_digest):
        assert (await get(wrong)).status == 404


async def test_a_rotated_secret_opens_nothing_any_more(cast: Cast) -> None:
    organisation = cast.alice.organisation
    before = organisation.secret
    after = await sync_to_async(rotate_account_secret)(organisation=organisation)
    assert (await get(before)).status == 404
    assert (await get(after)).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_it_can_only_be_read(cast: Cast, method: str) -> None:
    answer = await get(cast.alice.organisation.secret, method=method)
    assert answer.status == 405
    assert answer.json()["code"] == "method_not_allowed"


async def test_the_secret_stands_in_no_log_line(cast: Cast, caplog: Any, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    for secret in (cast.alice.organisation.secret, "rs_" + "1" * 40):
        await get(secret)
        assert secret not in caplog.text
        assert secret not in "".join(capfd.readouterr())
