from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.forms import MOST_RULES, ApiKeyForm, WebSocketKeyForm
from accounts.key_lifecycle import change_api_key, change_websocket_key, create_api_key, create_websocket_key
from tests.cast import Cast


def api_form(**fields: Any) -> ApiKeyForm:
    return ApiKeyForm({"name": "build server", **fields})


def errors_of(form: ApiKeyForm | WebSocketKeyForm) -> dict[str, list[str]]:
    assert not form.is_valid()
    return {field: list(errors) for field, errors in form.errors.items()}


def test_what_it_cleans_is_what_the_operations_take(cast: Cast) -> None:
    soon = (timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    fields = {
        "name": " build server ",
        "networks": "192.0.2.0/24\n2001:db8::1, 192.0.2.7/24",
        "origins": "HTTPS://Example.org/ *.example.org\r\n",
        "expires_at": soon.strftime("%Y-%m-%dT%H:%M"),
        "redirect_url": "https://example.org/results?from=us",
    }
    api, websocket = ApiKeyForm(fields), WebSocketKeyForm(fields)
    assert api.is_valid(), api.errors
    assert websocket.is_valid(), websocket.errors
    who = {"organisation": cast.alice.organisation, "created_by": cast.alice.user}

    row, _ = create_api_key(**who, **api.cleaned_data)
    other = create_websocket_key(**who, **websocket.cleaned_data)
    change_api_key(key=row, **api.cleaned_data)
    change_websocket_key(key=other, **websocket.cleaned_data)

    row.refresh_from_db()
    assert row.name == "build server"
    assert row.networks == ["192.0.2.0/24", "2001:db8::1/128"]
    assert row.origins == other.origins == ["https://example.org", "*.example.org"]
    assert row.expires_at == soon
    assert row.redirect_url == "https://example.org/results?from=us"


def test_only_a_name_is_needed() -> None:
    form = api_form()

    assert form.is_valid()
    assert form.cleaned_data == {
        "name": "build server",
        "networks": [],
        "origins": [],
        "expires_at": None,
        "redirect_url": "",
    }
    assert "name" in errors_of(api_form(name=" "))


def test_a_form_is_filled_from_a_key_and_gives_it_back_unchanged(cast: Cast) -> None:
    row, _ = create_api_key(
        organisation=cast.alice.organisation,
        created_by=None,
        name="build server",
        networks=["192.0.2.0/24", "2001:db8::/32"],
        origins=["example.org"],
        redirect_url="https://example.org/",
    )
    filled = ApiKeyForm(initial=ApiKeyForm.values_of(row))
    sent = {field.name: field.value() for field in filled}

    again = ApiKeyForm(sent)

    assert sent["networks"] == "192.0.2.0/24\n2001:db8::/32"
    assert again.is_valid()
    assert again.cleaned_data == ApiKeyForm.values_of(row)
    assert "redirect_url" not in WebSocketKeyForm.values_of(cast.alice.websocket_key_row)


def test_it_names_every_wrong_rule() -> None:
    errors = errors_of(api_form(networks="192.0.2.0/24 here 300.0.0.1", origins="example.org/path"))

    assert len(errors["networks"]) == 2
    assert "“here”" in errors["networks"][0]
    assert "“300.0.0.1”" in errors["networks"][1]
    assert "“example.org/path”" in errors["origins"][0]


def test_it_takes_only_so_many_rules() -> None:
    addresses = [f"192.0.2.{number}" for number in range(MOST_RULES + 1)]

    assert api_form(networks="\n".join(addresses[:-1])).is_valid()
    assert str(MOST_RULES) in errors_of(api_form(networks="\n".join(addresses)))["networks"][0]


def test_a_key_expires_in_the_future() -> None:
    assert "passed" in errors_of(api_form(expires_at="2020-01-01T00:00"))["expires_at"][0]
    assert "expires_at" in errors_of(api_form(expires_at="some day"))


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "http://localhost:3000/results", "http://runner/results", "https://[2001:db8::1]/results"],
)
def test_a_redirect_url_may_lead_anywhere_on_the_web(url: str) -> None:
    assert api_form(redirect_url=url).is_valid()


@pytest.mark.parametrize(
    "url",
    [
        "example.org/results",
        "//example.org/results",
        "/results",
        "ftp://example.org",
        "javascript:alert(1)",
        "https://",
        "https:///results",
        "https://example.org:port/",
        "https://[::1/",
        "https://name:password@example.org/",
        "https://name@example.org/",
        "https://example.org/#part",
        "https://example.org/a b",
        "https://example.org\\@evil.test/",
        "https://example.org/\x7f",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_it_refuses_a_redirect_url_that_no_request_can_be_sent_to(url: str) -> None:
    assert "redirect_url" in errors_of(api_form(redirect_url=url))
