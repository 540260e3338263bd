"""Probes for whatever keeps the service running: is the process alive, and can it serve now?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.asyncio import Redis

from config.errors import FieldError, Unavailable
from execution.sandbox_clients import sandbox_client

_log = structlog.get_logger("runcode.health")

Check: TypeAlias = Callable[[], Awaitable[None]]

CHECK_SECONDS: Final = 3.0


async def _database() -> None:
    def query() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    await database_sync_to_async(query)()


async def _redis() -> None:
    async with Redis.from_url(settings.REDIS_URL, socket_timeout=CHECK_SECONDS) as client:
        await client.get("runcode:ready")


async def _sandbox() -> None:
    await sandbox_client().status()


def _checks() -> dict[str, Check]:
    checks: dict[str, Check] = {"database": _database, "sandbox": _sandbox}
    if settings.REDIS_URL:
        checks["redis"] = _redis
    return checks


async def _failure(name: str, check: Check) -> FieldError | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:
        # Anything at all means not ready. The cause is for the log: it may name hosts.
        _log.warning("not ready", part=name, error=f"{type(error).__name__}: {error}")
        return FieldError(name, "does not answer")
    return None


@require_safe
async def healthz(_request: HttpRequest) -> JsonResponse:
    """The process is alive and its event loop turns."""
    return JsonResponse({"status": "ok"})


@require_safe
async def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when every part that a run needs answers, else 503 with `errors` naming those that do not."""
    checks = _checks()
    failures = [failure for failure in await asyncio.gather(*map(_failure, checks, checks.values())) if failure]
    if failures:
        missing = ", ".join(failure.field for failure in failures)
        raise Unavailable(f"Not ready: {missing}.", code="not_ready", errors=failures)
    return JsonResponse({"status": "ready", "checks": dict.fromkeys(checks, "ok")})
