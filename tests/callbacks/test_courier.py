"""Deliveries: attempted until they are accepted, given up in the end, and never in the way of others'."""

import asyncio
import threading
from collections import Counter
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.utils import timezone

from execution.callbacks import courier as courier_module
from execution.callbacks.courier import Courier, courier_service
from execution.callbacks.deliveries import (
    AT_ONCE,
    DEAD_AFTER,
    DEAD_AFTER_FAILURES,
    FIRST_WAIT,
    LEASE,
    LONGEST_WAIT,
    claim,
    resend,
    wait_before,
)
from execution.callbacks.endpoints import endpoint_of, resume, rotate_secret
from execution.models import Delivery, DeliveryAttempt, Endpoint
from tests.callbacks.conftest import MakeDelivery
from tests.callbacks.receiver import Receiver, receiving
from tests.cast import Cast
from tests.server import free_port


async def made(make: MakeDelivery, *arguments: object, **fields: object) -> Delivery:
    delivery: Delivery = await sync_to_async(make)(*arguments, **fields)
    return delivery


async def test_an_accepted_delivery_is_not_sent_again(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    delivery = await made(make_delivery, cast.alice, receiver.url)
    assert await courier.work_once() == 1
    assert await courier.work_once() == 0
    (message,) = receiver.received
    endpoint = await Endpoint.objects.aget()
    body = message.verified(endpoint.secret)
    assert (body["id"], body["output"], body["extra_params"]) == (delivery.run_id, "42\n", {"order": 7})
    await delivery.arefresh_from_db()
    assert (delivery.state, delivery.attempts_made) == ("delivered", 1)
    attempt = await delivery.attempts.aget()
    assert (attempt.status, attempt.cause, attempt.url) == (204, "", receiver.url)


async def test_a_failed_one_is_due_again_after_a_while(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    receiver.answer = lambda _message, number: 500 if number < 2 else 200
    delivery = await made(make_delivery, cast.alice, receiver.url)
    waits = []
    for _ in range(3):
        now = timezone.now()
        assert await courier.work_once() == 1
        await delivery.arefresh_from_db()
        waits.append((delivery.next_attempt_at - now).total_seconds())
        assert await courier.work_once() == 0
        await Delivery.objects.aupdate(next_attempt_at=now)
    assert 1 <= waits[0] <= FIRST_WAIT + 1
    assert 2 <= waits[1] <= 2 * FIRST_WAIT + 1
    assert delivery.state == "delivered"
    causes = [attempt.cause async for attempt in delivery.attempts.all()]
    assert causes == ["Answered 500 Internal Server Error."] * 2 + [""]
    # Each attempt is the same message, signed anew.
    assert len({message.headers["webhook-id"] for message in receiver.received}) == 1
    assert len({message.body for message in receiver.received}) == 1
    endpoint = await Endpoint.objects.aget()
    assert (endpoint.failures, endpoint.failing_since) == (0, None)


def test_waits_double_up_to_two_hours_and_a_random_half_is_left_out() -> None:
    for attempt in range(1, 40):
        longest = min(FIRST_WAIT * 2.0 ** (attempt - 1), LONGEST_WAIT)
        waits = [wait_before(attempt) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


async def test_after_a_day_it_is_given_up(cast: Cast, courier: Courier, make_delivery: MakeDelivery) -> None:
    delivery = await made(
        make_delivery, cast.alice, f"http://127.0.0.1:{free_port()}/", give_up_at=timezone.now() - timedelta(seconds=1)
    )
    await courier.work_once()
    await delivery.arefresh_from_db()
    assert delivery.state == "failed"
    assert await courier.work_once() == 0


async def test_retry_after_is_waited_for(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    receiver.answer = lambda _message, _number: (503, {"Retry-After": "600"})
    delivery = await made(make_delivery, cast.alice, receiver.url)
    await courier.work_once()
    await delivery.arefresh_from_db()
    assert delivery.next_attempt_at > timezone.now() + timedelta(seconds=590)


async def test_410_gives_up_and_pauses_the_endpoint(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    receiver.answer = lambda _message, _number: 410
    delivery = await made(make_delivery, cast.alice, receiver.url)
    waiting = await made(make_delivery, cast.alice, receiver.url)
    await courier.work_once()
    await delivery.arefresh_from_db()
    assert delivery.state == "failed"
    assert "410 Gone" in (await Endpoint.objects.aget()).paused_because
    assert await courier.work_once() == 0

    # Resumed, what has waited is sent.
    receiver.answer = lambda _message, _number: 204
    await sync_to_async(resume)(await Endpoint.objects.aget())
    await courier.work_once()
    await waiting.arefresh_from_db()
    assert waiting.state == "delivered"


async def test_an_endpoint_that_was_dead_for_a_day_is_paused_and_its_owners_are_told(
    cast: Cast, courier: Courier, make_delivery: MakeDelivery
) -> None:
    cast.bob.membership.role = "admin"
    await cast.bob.membership.asave()
    url = f"http://127.0.0.1:{free_port()}/results"
    await made(make_delivery, cast.alice, url)
    endpoint = await sync_to_async(endpoint_of)(cast.alice.api_key_row.pk)

    endpoint.failures, endpoint.failing_since = DEAD_AFTER_FAILURES, timezone.now() - DEAD_AFTER / 2
    await endpoint.asave()
    await courier.work_once()
    await endpoint.arefresh_from_db()
    assert endpoint.paused_at is None

    endpoint.failing_since = timezone.now() - DEAD_AFTER
    await endpoint.asave()
    await Delivery.objects.aupdate(next_attempt_at=timezone.now())
    await courier.work_once()
    await endpoint.arefresh_from_db()
    assert endpoint.paused_at is not None
    assert "attempts since" in endpoint.paused_because
    assert sorted(message.to for message in mail.outbox) == [[cast.alice.email], [cast.bob.email]]
    assert url in mail.outbox[0].body
    assert f"/dashboard/keys/{cast.alice.api_key_row.pk}/callbacks/" in mail.outbox[0].body
    # Nothing is lost: it waits.
    assert (await Delivery.objects.aget()).state == "pending"


async def test_one_success_makes_an_endpoint_alive_again(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    await made(make_delivery, cast.alice, receiver.url)
    await Endpoint.objects.aupdate(failures=100, failing_since=timezone.now() - 2 * DEAD_AFTER)
    await courier.work_once()
    endpoint = await Endpoint.objects.aget()
    assert (endpoint.failures, endpoint.failing_since, endpoint.paused_at) == (0, None, None)


async def test_a_changed_redirect_url_counts_for_what_waits(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    delivery = await made(make_delivery, cast.alice, f"http://127.0.0.1:{free_port()}/")
    await courier.work_once()
    cast.alice.api_key_row.redirect_url = ""
    await cast.alice.api_key_row.asave()
    await Delivery.objects.aupdate(next_attempt_at=timezone.now())
    await courier.work_once()
    cast.alice.api_key_row.redirect_url = receiver.url
    await cast.alice.api_key_row.asave()
    await Delivery.objects.aupdate(next_attempt_at=timezone.now())
    await courier.work_once()
    causes = [attempt.cause async for attempt in delivery.attempts.all()]
    assert causes == ["The connection was refused.", "The key has no redirect URL any more.", ""]


async def test_both_secrets_sign_for_a_day_after_a_change(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    delivery = await made(make_delivery, cast.alice, receiver.url)
    endpoint = await Endpoint.objects.aget()
    old = endpoint.secret
    await sync_to_async(rotate_secret)(endpoint)
    await courier.work_once()
    assert endpoint.secret != old
    assert receiver.received[0].verified(old) == receiver.received[0].verified(endpoint.secret)

    await Endpoint.objects.aupdate(previous_secret_until=timezone.now() - timedelta(seconds=1))
    await sync_to_async(resend)(delivery)
    await courier.work_once()
    assert len(receiver.received[1].headers["webhook-signature"].split()) == 1
    assert receiver.received[1].verified(endpoint.secret)


async def test_what_a_dead_courier_took_is_due_again_when_its_lease_is_over(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    await made(make_delivery, cast.alice, receiver.url)
    (taken,) = await sync_to_async(claim)(10, {})
    assert await courier.work_once() == 0
    await Delivery.objects.filter(pk=taken.pk, next_attempt_at__gt=timezone.now() + LEASE / 2).aupdate(
        next_attempt_at=timezone.now()
    )
    assert await courier.work_once() == 1
    assert len(receiver.received) == 1


async def test_two_couriers_never_send_one_delivery_at_once(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    for _ in range(20):
        await made(make_delivery, cast.alice, receiver.url)
    other = Courier()
    try:
        while sum(await asyncio.gather(courier.work_once(4), other.work_once(4))):
            pass
    finally:
        await other.aclose()
    ids = Counter(message.headers["webhook-id"] for message in receiver.received)
    assert len(ids) == 20
    assert set(ids.values()) == {1}


async def test_a_slow_endpoint_holds_up_nobody_else(
    cast: Cast, receiver: Receiver, make_delivery: MakeDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier_module, "MOST_AT_ONCE", 6)
    release = threading.Event()
    at_once, most = 0, 0
    counting = threading.Lock()

    def slow(_message: object, _number: int) -> int:
        nonlocal at_once, most
        with counting:
            at_once += 1
            most = max(most, at_once)
        release.wait(30)
        with counting:
            at_once -= 1
        return 204

    with receiving(slow) as dawdler:
        for _ in range(12):
            await made(make_delivery, cast.alice, dawdler.url)
        await made(make_delivery, cast.charlie, receiver.url)
        try:
            async with courier_service():
                await asyncio.to_thread(receiver.wait_for, 1)
                assert len(dawdler.received) == AT_ONCE
                release.set()
                await asyncio.to_thread(dawdler.wait_for, 12)
        finally:
            release.set()
    assert most == AT_ONCE


async def test_an_organisation_that_is_gone_takes_its_deliveries_along(
    cast: Cast, courier: Courier, receiver: Receiver, make_delivery: MakeDelivery
) -> None:
    await made(make_delivery, cast.charlie, receiver.url)
    await courier.work_once()
    await cast.charlie.organisation.adelete()
    assert not await Delivery.objects.aexists()
    assert not await DeliveryAttempt.objects.aexists()
