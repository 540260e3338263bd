"""The dashboard's pages for the callbacks of a key."""

import pytest
from django.utils import timezone

from execution.callbacks.endpoints import endpoint_of, pause
from execution.models import Batch, Delivery, DeliveryAttempt, Endpoint
from tests.cast import Cast
from tests.pages.html import parse
from tests.pages.test_every_page import get

URL = "https://example.com/results"


def page_of(person):
    return f"/dashboard/keys/{person.api_key_row.pk}/callbacks/"


@pytest.fixture
def delivery(cast, make_delivery):
    delivery = make_delivery(cast.alice, URL)
    DeliveryAttempt.objects.create(delivery=delivery, url=URL, cause="The connection was refused.", seconds=0.1)
    return delivery


def make_admin(person):
    person.membership.role = "admin"
    person.membership.save()


def test_it_shows_the_address_and_the_latest_deliveries(cast: Cast, delivery):
    page = get(cast.alice.client, page_of(cast.alice))
    text = page.one("main").text
    assert URL in text
    assert f"Run {delivery.run_id}" in text
    assert "The connection was refused." in text
    assert "whsec_" not in text.replace("whsec_•", "")


def test_the_secret_is_shown_on_request_to_admins(cast: Cast, delivery):
    secret = Endpoint.objects.get().secret
    assert secret not in cast.alice.client.get(page_of(cast.alice)).content.decode()
    shown = cast.alice.client.get(page_of(cast.alice) + "?show=1", headers={"HX-Request": "true"})
    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]

    assert secret not in cast.bob.client.get(page_of(cast.alice) + "?show=1").content.decode()
    make_admin(cast.bob)
    assert secret in cast.bob.client.get(page_of(cast.alice) + "?show=1").content.decode()


def test_replacing_the_secret_asks_first_and_keeps_the_old_one_for_a_day(cast: Cast):
    path = page_of(cast.alice) + "secret/"
    old = endpoint_of(cast.alice.api_key_row.pk).secret
    get(cast.alice.client, path)
    assert Endpoint.objects.get().secret == old
    assert cast.alice.client.post(path).status_code == 302
    endpoint = Endpoint.objects.get()
    assert (endpoint.secret != old, endpoint.previous_secret) == (True, old)
    assert endpoint.previous_secret_until > timezone.now()


def test_a_paused_endpoint_is_said_on_the_keys_page_and_resumed_here(cast: Cast, delivery):
    pause(Endpoint.objects.get(), "It answered 410 Gone.")
    assert "callbacks paused" in get(cast.bob.client, "/dashboard/keys/").one("main").text
    page = get(cast.alice.client, page_of(cast.alice))
    assert "It answered 410 Gone." in page.one("main").text
    (form,) = page.all("form", action=page_of(cast.alice) + "resume/")
    assert form.one("button").text == "Resume"
    assert cast.alice.client.post(page_of(cast.alice) + "resume/").status_code == 302
    endpoint = Endpoint.objects.get()
    assert (endpoint.paused_at, endpoint.failures) == (None, 0)


def test_a_result_is_sent_again(cast: Cast, delivery):
    Delivery.objects.update(state="failed")
    path = f"/dashboard/deliveries/{delivery.pk}/resend/"
    response = cast.bob.client.post(path, {"from": "key"})
    assert (response.status_code, response["Location"]) == (302, page_of(cast.alice))
    assert Delivery.objects.get().state == "pending"

    pause(Endpoint.objects.get(), "for a test")
    response = cast.bob.client.post(path, {"from": "key"}, follow=True)
    assert "The callbacks of this key are paused." in response.content.decode()
    assert cast.bob.client.post(path)["Location"] == f"/dashboard/runs/{delivery.run_id}/"


def test_a_runs_page_has_its_deliveries(cast: Cast, delivery):
    page = get(cast.alice.client, f"/dashboard/runs/{delivery.run_id}/")
    assert "The connection was refused." in page.one("main").text
    assert page.all("form", action=f"/dashboard/deliveries/{delivery.pk}/resend/")


def test_a_batchs_delivery_is_sent_again_too(cast: Cast, delivery):
    batch = Batch.objects.create(
        organisation=cast.alice.organisation, key_id=1, key_kind="api", compiler="gcc-15", tests=1, status="finished"
    )
    Delivery.objects.update(run=None, batch=batch, state="delivered")
    assert f"Batch {batch.pk}" in get(cast.alice.client, page_of(cast.alice)).one("main").text
    page = get(cast.alice.client, f"/dashboard/batches/{batch.pk}/")
    (form,) = page.all("form", action=f"/dashboard/deliveries/{delivery.pk}/resend/")
    assert cast.alice.client.post(form["action"])["Location"] == f"/dashboard/batches/{batch.pk}/"
    assert Delivery.objects.get().state == "pending"


@pytest.mark.parametrize("further", ["secret/", "resume/"])
def test_members_change_nothing(cast: Cast, further):
    old = endpoint_of(cast.alice.api_key_row.pk)
    assert cast.bob.client.post(page_of(cast.alice) + further).status_code == 403
    assert Endpoint.objects.get().secret == old.secret


def test_a_stranger_finds_nothing(cast: Cast, delivery):
    stranger = cast.charlie.client
    before = Delivery.objects.get().next_attempt_at
    assert stranger.get(page_of(cast.alice)).status_code == 404
    assert stranger.get(page_of(cast.alice) + "?show=1").status_code == 404
    for path in (page_of(cast.alice) + "secret/", page_of(cast.alice) + "resume/"):
        assert stranger.post(path).status_code == 404
    assert stranger.post(f"/dashboard/deliveries/{delivery.pk}/resend/").status_code == 404
    assert Delivery.objects.get().next_attempt_at == before


@pytest.mark.parametrize("further", ["", "secret/"])
def test_the_signed_out_are_sent_to_the_sign_in_page(cast: Cast, client, further):
    path = page_of(cast.alice) + further
    assert client.get(path)["Location"].startswith("/accounts/login/?next=" + path)


def test_a_key_without_a_redirect_url_has_the_page_too(cast: Cast):
    text = parse(cast.alice.client.get(page_of(cast.alice)).content.decode()).one("main").text
    assert "This key has no redirect URL" in text
    assert "Nothing was sent yet." in text
