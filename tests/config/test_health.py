"""The probes: alive, and ready."""

import asyncio

import pytest
from django.db import DatabaseError

from config import health
from config.asgi import http
from execution.sandbox_clients import sandbox_connections
from tests.config.asgi_client import call


@pytest.fixture(autouse=True)
async def _connections(transactional_db):
    async with sandbox_connections():
        yield


@pytest.mark.parametrize("path", ["/healthz", "/healthz/"])
async def test_alive_needs_nothing_else(path, settings, tmp_path):
    settings.RUNCODE_HOME = tmp_path
    answer = await call(http, "GET", path)
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/readyz", "/readyz/"])
async def test_ready_when_all_parts_answer(path, sandbox):
    answer = await call(http, "GET", path)
    assert (answer.status, answer.json()["status"]) == (200, "ready")
    assert answer.json()["checks"] == {"database": "ok", "sandbox": "ok"}


async def test_it_names_the_supervisor_that_does_not_answer(settings, tmp_path):
    settings.RUNCODE_HOME = tmp_path
    answer = await call(http, "GET", "/readyz")
    assert (answer.status, answer.json()["code"]) == (503, "not_ready")
    assert answer.json()["errors"] == [{"field": "sandbox", "error": "does not answer"}]
    assert str(tmp_path).encode() not in answer.body


async def test_it_names_every_part_that_does_not_answer(settings, tmp_path, monkeypatch):
    async def broken() -> None:
        raise DatabaseError("connection to server at db.internal refused")

    monkeypatch.setattr(health, "_database", broken)
    settings.RUNCODE_HOME = tmp_path
    settings.REDIS_URL = f"unix://{tmp_path}/no.sock"
    answer = await call(http, "GET", "/readyz")
    assert answer.status == 503
    assert [error["field"] for error in answer.json()["errors"]] == ["database", "sandbox", "redis"]
    assert b"db.internal" not in answer.body


async def test_a_part_that_hangs_is_not_waited_for(monkeypatch, sandbox):
    async def hanging() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(health, "_database", hanging)
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.5)
    answer = await call(http, "GET", "/readyz")
    assert [error["field"] for error in answer.json()["errors"]] == ["database"]


async def test_probes_only_read():
    answer = await call(http, "POST", "/readyz")
    assert (answer.status, answer.json()["code"]) == (405, "method_not_allowed")
