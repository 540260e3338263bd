"""Refusals of POST /api/run-code-sync/: each in the one shape, and none of them counted."""

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts import key_lifecycle
from accounts.authentication import announce_change
from billing.usage import ausage_of
from config.hot_path import BODY_LIMIT

GOOD = {"compiler": "python-3.14", "code": "print(1)"}


def check_shape(response, status: int, code: str) -> dict:
    """The error shape, pinned: exactly these fields of exactly these types."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-ID"]
    body = response.json()
    assert list(body) == ["message", "code", "errors"]
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["code"] == code
    for error in body["errors"]:
        assert list(error) == ["field", "error"]
        assert all(isinstance(value, str) for value in error.values())
    return body


async def runs_of(person) -> int:
    return (await ausage_of(person.organisation.pk)).runs_used


async def test_fields_that_are_wrong_are_named(api, cast):
    body = check_shape(await api.post({**GOOD, "code": 5, "time_limit": "x"}), 400, "invalid")
    assert {error["field"] for error in body["errors"]} == {"code", "time_limit"}
    assert await runs_of(cast.alice) == 0


async def test_an_unknown_compiler_is_told_the_known_ones(api):
    body = check_shape(await api.post({**GOOD, "compiler": "cobol"}), 400, "invalid")
    (error,) = body["errors"]
    assert error["field"] == "compiler"
    assert "python-3.14" in error["error"]


async def test_a_known_compiler_that_is_not_installed_is_503(api, cast, settings, tmp_path):
    (tmp_path / "toolchains" / "compilers").mkdir(parents=True)
    settings.RUNCODE_HOME = tmp_path
    body = check_shape(await api.post(GOOD), 503, "toolchain_unavailable")
    assert "Python 3.14" in body["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"code": NaN}', b"\xff", b"[" * 50_000])
async def test_a_body_that_cannot_be_read_is_400(api, content):
    body = check_shape(await api.request("POST", "/api/run-code-sync/", content=content), 400, "invalid")
    assert body["errors"][0]["field"] == ""


async def test_a_form_is_415_with_a_hint(api):
    response = await api.request("POST", "/api/run-code-sync/", data={"code": "print(1)"})
    assert "Content-Type: application/json" in check_shape(response, 415, "unsupported_media_type")["message"]


async def test_a_body_above_the_limit_is_413(api):
    content = json.dumps({**GOOD, "input": "x" * BODY_LIMIT}).encode()
    check_shape(await api.request("POST", "/api/run-code-sync/", content=content), 413, "body_too_large")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_other_methods_are_405(api, method):
    response = await api.request(method, "/api/run-code-sync/")
    check_shape(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "POST, OPTIONS"


async def test_an_address_that_leads_nowhere_is_404(api):
    for path in ("/api/", "/api/run-code-sync/x/", "/api/runs/1"):
        check_shape(await api.request("GET", path), 404, "not_found")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "key_missing"),
        ("nonsense", "key_unknown"),
        ("rk_abcdefgh_" + "x" * 40, "key_unknown"),
        ("Bearer", "key_missing"),
    ],
)
async def test_without_a_key_that_we_know_it_is_401(api, key, code):
    response = await api.post(GOOD, key=key)
    check_shape(response, 401, code)
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_the_key_is_looked_at_before_the_body(api):
    response = await api.request("POST", "/api/run-code-sync/", key="nonsense", content=b"{")
    check_shape(response, 401, "key_unknown")


@pytest.mark.parametrize("carrier", ["{}", "Bearer {}", "bearer {}"])
async def test_a_key_is_taken_in_each_documented_header(api, carrier):
    key = api.key
    assert (await api.post(GOOD, key="", headers={"Authorization": carrier.format(key)})).status_code == 200
    assert (await api.post(GOOD, key="", headers={"X-API-Key": key})).status_code == 200


async def test_it_refuses_a_widget_key(api, cast):
    check_shape(await api.post(GOOD, key=cast.alice.websocket_key), 403, "wrong_key_kind")


async def restrict(row, **fields) -> None:
    """As the keys page does it: stored, then told to every process."""
    for name, value in fields.items():
        setattr(row, name, value)
    await row.asave(update_fields=list(fields))
    await sync_to_async(announce_change)(kind="api", key_id=row.pk)


async def test_it_refuses_a_foreign_address(api, cast):
    await restrict(cast.alice.api_key_row, networks=["203.0.113.0/24"])
    check_shape(await api.post(GOOD, address="198.51.100.7"), 403, "foreign_address")
    assert (await api.post(GOOD, address="203.0.113.7")).status_code == 200


async def test_a_forwarded_address_does_not_help_a_stranger(api, cast):
    await restrict(cast.alice.api_key_row, networks=["203.0.113.0/24"])
    response = await api.post(GOOD, address="198.51.100.7", headers={"X-Forwarded-For": "203.0.113.7"})
    check_shape(response, 403, "foreign_address")


async def test_it_refuses_a_foreign_origin(api, cast):
    await restrict(cast.alice.api_key_row, origins=["https://example.com"])
    check_shape(await api.post(GOOD, headers={"Origin": "https://example.org"}), 403, "foreign_origin")
    check_shape(await api.post(GOOD), 403, "foreign_origin")
    assert (await api.post(GOOD, headers={"Origin": "https://example.com"})).status_code == 200


async def test_a_page_can_read_why_it_was_refused(api, cast):
    response = await api.post(GOOD, key="nonsense", headers={"Origin": "https://example.com"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


async def test_an_expired_key_is_401(api, cast):
    await restrict(cast.alice.api_key_row, expires_at=timezone.now() - timedelta(seconds=1))
    check_shape(await api.post(GOOD), 401, "key_expired")


async def test_a_revoked_key_is_401_at_the_very_next_call(api, cast):
    assert (await api.post(GOOD)).status_code == 200
    await sync_to_async(key_lifecycle.revoke_api_key)(key=cast.alice.api_key_row)
    check_shape(await api.post(GOOD), 401, "key_revoked")


async def test_a_session_is_no_key(api, cast):
    browser = await sync_to_async(lambda: cast.alice.client)()
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    check_shape(await api.post(GOOD, key="", headers={"Cookie": header}), 401, "key_missing")


async def test_no_refusal_is_counted(api, cast):
    for body in ({**GOOD, "code": 1}, {**GOOD, "compiler": "cobol"}, []):
        assert (await api.post(body)).status_code == 400
    assert (await api.post(GOOD, key=cast.alice.websocket_key)).status_code == 403
    assert await runs_of(cast.alice) == 0
    assert (await api.post(GOOD)).status_code == 200
    assert await runs_of(cast.alice) == 1


async def test_a_run_counts_for_the_keys_organisation_alone(api, cast):
    await api.post(GOOD)
    await api.post(GOOD, key=cast.bob.api_key)
    await api.post(GOOD, key=cast.charlie.api_key)
    assert (await runs_of(cast.alice), await runs_of(cast.charlie)) == (2, 1)


async def test_a_supervisor_that_is_gone_is_503_and_not_counted(api, cast, settings, tmp_path, monkeypatch):
    monkeypatch.setattr("execution.sandbox.client.RESTART_PATIENCE", 0.1)
    (tmp_path / "toolchains").symlink_to(settings.RUNCODE_HOME / "toolchains")
    settings.RUNCODE_HOME = tmp_path
    response = await api.post(GOOD)
    body = check_shape(response, 503, "sandbox_unavailable")
    assert str(tmp_path) not in body["message"]
    assert response.headers["Retry-After"]
    assert await runs_of(cast.alice) == 0


async def test_parallel_refusals_do_not_disturb_each_other(api):
    responses = await asyncio.gather(*(api.post({**GOOD, "code": number}) for number in range(20)))
    assert {response.status_code for response in responses} == {400}
    assert len({response.headers["X-Request-ID"] for response in responses}) == 20
