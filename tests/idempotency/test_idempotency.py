"""`Idempotency-Key`: the same name and the same body get the same answer, once carried out and once billed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from billing import subscriptions
from billing.plans import FREE, Rate
from execution.idempotency import claims
from execution.idempotency.claims import A_DAY, LEASE_SECONDS, Claim
from execution.models import IdempotentRequest, Run
from tests.billing.runs import caller_of
from tests.execution.test_errors import check_shape
from tests.execution.test_v1_execute import runs_of

SYNC = "/api/run-code-sync/"
V1 = "/v1/execute"
ASYNC = "/api/run-code/"
# A program that never prints the same twice: an answer that comes again was kept.
RANDOM = "import os; print(os.urandom(8).hex())"
BODIES = {
    SYNC: {"compiler": "python-3.14", "code": RANDOM},
    V1: {"runtime": "python", "code": RANDOM},
    ASYNC: {"compiler": "python-3.14", "code": RANDOM, "poll": True},
}


@pytest.fixture
def send(api):
    async def send(path=SYNC, name="first", body=None, **options):
        headers = {"Idempotency-Key": name} if name is not None else {}
        return await api.request("POST", path, json=body or BODIES[path], headers=headers, **options)

    return send


def check_replay(first, second):
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


@pytest.mark.parametrize("path", [SYNC, V1])
async def test_sent_again_it_is_answered_again_and_billed_once(send, cast, path):
    first = await send(path)
    assert first.status_code == 200
    check_replay(first, await send(path))
    check_replay(first, await send(path))
    assert await runs_of(cast.alice) == 1


async def test_a_run_is_queued_once(send):
    first = await send(ASYNC)
    assert first.status_code == 202
    check_replay(first, await send(ASYNC))
    assert await Run.objects.acount() == 1


async def test_a_program_that_fails_has_an_answer_too(send, cast):
    body = {"compiler": "python-3.14", "code": RANDOM + "; exit(3)"}
    first = await send(body=body)
    assert first.json()["exit_code"] == 3
    check_replay(first, await send(body=body))
    assert await runs_of(cast.alice) == 1


async def test_without_the_header_each_request_is_a_run_and_nothing_is_kept(send, cast):
    first, second = await send(name=None), await send(name=None)
    assert first.content != second.content
    assert await runs_of(cast.alice) == 2
    assert await IdempotentRequest.objects.acount() == 0


async def test_another_name_is_another_request(send):
    assert (await send(name="first")).content != (await send(name="second")).content


async def test_the_same_json_in_another_spelling_is_the_same_body(send, api):
    first = await send()
    spelt = b' {"code" : "import os; print(os.urandom(8).h\\u0065x())",\n"compiler": "python-3.14"}'
    headers = {"Idempotency-Key": "first", "Content-Type": "application/json"}
    check_replay(first, await api.request("POST", SYNC.rstrip("/"), content=spelt, headers=headers))


async def test_another_body_under_the_same_name_is_a_conflict(send, cast):
    first = await send()
    check_shape(await send(body={**BODIES[SYNC], "input": "x"}), 409, "idempotency_conflict")
    check_replay(first, await send())
    assert await runs_of(cast.alice) == 1


async def test_another_address_under_the_same_name_is_a_conflict(send):
    body = {"compiler": "python-3.14", "code": RANDOM, "poll": True}
    assert (await send(SYNC, body=body)).status_code == 200
    check_shape(await send(ASYNC, body=body), 409, "idempotency_conflict")


async def test_names_belong_to_a_key(send, cast):
    """Neither a colleague nor a stranger gets what somebody else's program printed."""
    answers = [await send(key=person.api_key) for person in (cast.alice, cast.bob, cast.charlie)]
    assert len({answer.content for answer in answers}) == 3
    assert not any("Idempotency-Replayed" in answer.headers for answer in answers)


@pytest.mark.parametrize("name", [b"", b"a b", b"x" * 256, "é".encode(), b"a\tb", b"\x7f"], ids=ascii)
async def test_what_is_no_name_is_400(api, cast, name):
    response = await api.request("POST", SYNC, json=BODIES[SYNC], headers={"Idempotency-Key": name})
    errors = check_shape(response, 400, "invalid")["errors"]
    assert [error["field"] for error in errors] == ["Idempotency-Key"]
    assert await runs_of(cast.alice) == 0


@pytest.mark.parametrize("name", ["x", "x" * 255, '"8e03978e-40d5-43e8-bc93-6894a57f9324"', "a:b/c+d=~{}"])
async def test_a_name_may_be_any_visible_ascii(send, name):
    check_replay(await send(name=name), await send(name=name))


async def test_while_the_first_is_running_the_second_is_told_to_come_again(send, cast):
    slow = {"compiler": "python-3.14", "code": "import time; time.sleep(1)\n" + RANDOM}
    running = asyncio.create_task(send(body=slow))
    while not await IdempotentRequest.objects.acount():
        await asyncio.sleep(0.02)
    refused = await send(body=slow)
    check_shape(refused, 409, "idempotency_in_progress")
    assert int(refused.headers["Retry-After"]) >= 1
    check_replay(await running, await send(body=slow))
    assert await runs_of(cast.alice) == 1


async def test_of_many_at_once_one_is_carried_out(send, cast):
    answers = await asyncio.gather(*(send() for _ in range(12)))
    carried_out = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in carried_out}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in carried_out) == 1
    assert await runs_of(cast.alice) == 1


async def test_a_claim_is_held_for_as_long_as_its_program_runs(send, cast, monkeypatch):
    monkeypatch.setattr("execution.idempotency.claims.LEASE_SECONDS", 0.6)
    monkeypatch.setattr("execution.idempotency.requests.LEASE_SECONDS", 0.6)
    slow = {"compiler": "python-3.14", "code": "import time; time.sleep(2)\n" + RANDOM}
    running = asyncio.create_task(send(body=slow))
    await asyncio.sleep(1.5)
    check_shape(await send(body=slow), 409, "idempotency_in_progress")
    check_replay(await running, await send(body=slow))
    assert await runs_of(cast.alice) == 1


# --- What is not kept ---


async def test_a_body_that_is_wrong_does_not_take_the_name(send):
    check_shape(await send(body={"compiler": "cobol", "code": ""}), 400, "invalid")
    assert (await send()).status_code == 200


async def test_a_refusal_is_not_kept(send, monkeypatch):
    slow = replace(FREE, rate=Rate(per_second=1, burst=1))
    monkeypatch.setattr(subscriptions, "look_up", lambda _organisation_id: subscriptions.Standing(plan=slow))
    assert (await send(name=None)).status_code == 200
    refused = await send()
    check_shape(refused, 429, "rate_limit")
    await asyncio.sleep(int(refused.headers["Retry-After"]))
    first = await send()
    assert first.status_code == 200
    check_replay(first, await send())


async def test_a_client_that_goes_away_may_ask_again_at_once(send, cast):
    slow = {"compiler": "python-3.14", "code": "import time; time.sleep(0.5)\n" + RANDOM}
    call = asyncio.create_task(send(body=slow))
    while not await IdempotentRequest.objects.acount():
        await asyncio.sleep(0.02)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert (await send(body=slow)).status_code == 200
    assert await runs_of(cast.alice) == 1


async def test_a_fault_of_ours_leaves_the_request_to_the_next_attempt(send, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("execution.views.answer_of", lambda *_args, **_options: 1 / 0)
        check_shape(await send(), 500, "internal_error")
    assert (await send()).status_code == 200


# --- Claims ---


def claim_of(cast, name="name", fingerprint="f" * 64):
    return claims.claim(caller_of(cast.alice.organisation.pk), name, fingerprint)


def test_a_claim_lapses_and_is_taken_over_once_under_the_same_run(cast):
    first = claim_of(cast)
    assert not isinstance(claim_of(cast), Claim)
    IdempotentRequest.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    second = claim_of(cast)
    assert isinstance(second, Claim)
    assert second.run_id == first.run_id
    assert not isinstance(claim_of(cast), Claim)
    # The first is not dead after all: what it says does not count any more.
    claims.keep(first, 200, b"first")
    claims.drop(first)
    claims.let_go(first)
    assert claim_of(cast).status is None
    claims.keep(second, 200, b"second")
    assert claim_of(cast).body == b"second"


def test_a_claim_that_is_renewed_does_not_lapse(cast):
    held = claim_of(cast)
    IdempotentRequest.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    claims.renew(held)
    assert IdempotentRequest.objects.get().leased_until > timezone.now() + timedelta(seconds=LEASE_SECONDS - 5)
    assert not isinstance(claim_of(cast), Claim)


def test_an_answer_is_kept_for_a_day_and_then_the_name_is_free(cast):
    claims.keep(claim_of(cast), 200, b"{}")
    IdempotentRequest.objects.update(
        created_at=timezone.now() - A_DAY + timedelta(minutes=1), leased_until=timezone.now()
    )
    assert claim_of(cast, fingerprint="other").fingerprint == "f" * 64
    assert claims.expire(most=10) == 0
    IdempotentRequest.objects.update(created_at=timezone.now() - A_DAY)
    assert isinstance(claim_of(cast, fingerprint="other"), Claim)


def test_what_is_over_is_removed(cast):
    for number in range(3):
        claims.keep(claim_of(cast, name=str(number)), 200, b"{}")
    IdempotentRequest.objects.filter(name__in="01").update(
        created_at=timezone.now() - A_DAY, leased_until=timezone.now()
    )
    assert (claims.expire(most=1), claims.expire(most=10), claims.expire(most=10)) == (1, 1, 0)
    assert IdempotentRequest.objects.get().name == "2"
