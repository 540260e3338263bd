"""GET /api/runs/{id}/deliveries/ and POST /api/runs/{id}/deliveries/resend/"""

import pytest
from asgiref.sync import sync_to_async

from execution.callbacks.endpoints import pause
from execution.models import Batch, Delivery, Endpoint, Run
from tests.execution.conftest import Api


@pytest.fixture
def api(cast):
    return Api(cast.alice.api_key)


def path(delivery, further=""):
    return f"/api/runs/{delivery.run_id}/deliveries/{further}"


async def test_it_lists_what_was_sent_and_what_came_of_it(api, cast, courier, receiver, make_delivery):
    receiver.answer = lambda _message, number: 500 if number == 0 else 204
    delivery = await sync_to_async(make_delivery)(cast.alice, receiver.url)
    await courier.work_once()
    (pending,) = (await api.request("GET", path(delivery))).json()
    assert pending["state"] == "pending"
    assert pending["next_attempt_at"] > pending["created_at"]
    (attempt,) = pending["attempts"]
    assert attempt | {"at": "", "seconds": 0} == {
        "at": "",
        "url": receiver.url,
        "status": 500,
        "cause": "Answered 500 Internal Server Error.",
        "seconds": 0,
    }

    response = await api.request("POST", path(delivery, "resend/"))
    assert response.status_code == 202
    await courier.work_once()
    (delivered,) = (await api.request("GET", path(delivery).rstrip("/"))).json()
    assert (delivered["state"], delivered["next_attempt_at"]) == ("delivered", None)
    assert [attempt["status"] for attempt in delivered["attempts"]] == [500, 204]
    assert delivered["attempts"][1]["cause"] is None


async def test_a_delivered_one_is_sent_again_with_the_same_id(api, cast, courier, receiver, make_delivery):
    delivery = await sync_to_async(make_delivery)(cast.alice, receiver.url)
    for _ in range(2):
        await courier.work_once()
        await api.request("POST", path(delivery, "resend"))
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery.webhook_id
    assert first.body == second.body


async def test_a_run_without_a_delivery_has_an_empty_list_and_nothing_to_send(api, cast):
    run = await Run.objects.acreate(
        organisation=cast.alice.organisation, key_id=1, key_kind="api", surface="sync", compiler="gcc-15"
    )
    assert (await api.request("GET", f"/api/runs/{run.pk}/deliveries/")).json() == []
    response = await api.request("POST", f"/api/runs/{run.pk}/deliveries/resend/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_paused_endpoint_is_sent_nothing(api, cast, receiver, make_delivery):
    delivery = await sync_to_async(make_delivery)(cast.alice, receiver.url)
    await sync_to_async(pause)(await Endpoint.objects.aget(), "for a test")
    assert (await api.request("GET", path(delivery))).json()[0]["next_attempt_at"] is None
    response = await api.request("POST", path(delivery, "resend/"))
    assert (response.status_code, response.json()["code"]) == (409, "callbacks_paused")


async def test_what_is_not_kept_cannot_be_sent_again(api, cast, receiver, make_delivery):
    delivery = await sync_to_async(make_delivery)(cast.alice, receiver.url, body=b"", state="delivered")
    response = await api.request("POST", path(delivery, "resend/"))
    assert (response.status_code, response.json()["code"]) == (409, "not_kept")


@pytest.mark.parametrize(("method", "further"), [("GET", ""), ("POST", "resend/")])
async def test_a_stranger_finds_no_delivery(api, cast, receiver, make_delivery, method, further):
    delivery = await sync_to_async(make_delivery)(cast.charlie, receiver.url)
    before = await Delivery.objects.aget()
    response = await api.request(method, path(delivery, further))
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert receiver.url not in response.text
    assert (await Delivery.objects.aget()).next_attempt_at == before.next_attempt_at


@pytest.mark.parametrize(("method", "further"), [("GET", ""), ("POST", "resend/")])
async def test_it_takes_an_api_key(api, cast, receiver, make_delivery, method, further):
    delivery = await sync_to_async(make_delivery)(cast.alice, receiver.url)
    assert (await api.request(method, path(delivery, further), key="")).status_code == 401
    refused = await api.request(method, path(delivery, further), key=cast.alice.websocket_key)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_key_kind")


@pytest.mark.parametrize(("method", "further"), [("GET", ""), ("POST", "resend/")])
async def test_a_batchs_deliveries_are_told_and_sent_alike(api, cast, receiver, make_delivery, method, further):
    batch = await Batch.objects.acreate(
        organisation=cast.alice.organisation, key_id=1, key_kind="api", compiler="gcc-15", tests=1, status="finished"
    )
    await sync_to_async(make_delivery)(cast.alice, receiver.url)
    await Delivery.objects.aupdate(run=None, batch=batch, state="delivered")
    batch_path = f"/api/batches/{batch.pk}/deliveries/{further}"
    (told,) = (await api.request(method, batch_path)).json()
    assert told["state"] == ("pending" if further else "delivered")
    stranger = await api.request(method, batch_path, key=cast.charlie.api_key)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "not_found")
