"""From a request with an `Idempotency-Key` to its answer: carried out now, or the one that was given before."""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from accounts.caller import Caller
from config.errors import ApiError, Conflict, FieldError, InvalidRequest
from execution.idempotency import claims
from execution.idempotency.claims import LEASE_SECONDS, Claim, Kept
from execution.json_body import json_object

_log = structlog.get_logger("runcode.idempotency")

HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotency-Replayed"
_NAME: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)

Answer = Callable[[UUID | None], Awaitable[HttpResponse]]


async def once(request: HttpRequest, caller: Caller, answer: Answer) -> HttpResponse:
    """`answer(run_id)`, or the answer that an earlier request of the same name got.

    To be called when the body has been found valid. `answer` carries the request out; what it starts is to have the
    `run_id` that it is given (None: any), and what it raises is no answer: the request may be sent again.

    Raises InvalidRequest for a name that is none, and Conflict.
    """
    name = request.headers.get(HEADER)
    if name is None:
        return await answer(None)
    if not _NAME.fullmatch(name):
        text = f"{HEADER} must be 1 to 255 visible ASCII characters, such as a UUID."
        raise InvalidRequest(text, errors=[FieldError(HEADER, text)])
    fingerprint = _fingerprint(request)
    found = await database_sync_to_async(claims.claim)(caller, name, fingerprint)
    if isinstance(found, Claim):
        return await _carried_out(found, answer)
    if found.fingerprint != fingerprint:
        raise Conflict(
            f"This {HEADER} was used for another request. Use a new one for each request, and the same to repeat one.",
            code="idempotency_conflict",
        )
    if found.status is None:
        raise Conflict(
            f"The first request with this {HEADER} is still being carried out. Send this again in a moment.",
            code="idempotency_in_progress",
            headers={"Retry-After": "1"},
        )
    return _replayed(found)


def _fingerprint(request: HttpRequest) -> str:
    """Equal for two requests that ask for the same: of one endpoint, and with the same JSON in whatever spelling."""
    match = request.resolver_match
    asked = [match.view_name if match else request.path, json_object(request)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode("ascii")).hexdigest()


async def _carried_out(claim: Claim, answer: Answer) -> HttpResponse:
    holding = asyncio.create_task(_hold(claim))
    try:
        response = await answer(claim.run_id)
        await _keep(claim, response)
    except ApiError:
        # Nothing was started, and the client may mend its request.
        await database_sync_to_async(claims.drop)(claim)
        raise
    except BaseException:
        # Perhaps it was billed already: the next attempt is to be the same run.
        await database_sync_to_async(claims.let_go)(claim)
        raise
    finally:
        holding.cancel()
    return response


async def _hold(claim: Claim) -> None:
    """Renews the lease until cancelled. Most requests have ended before this does anything."""
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        try:
            await database_sync_to_async(claims.renew)(claim)
        except (DatabaseError, InterfaceError) as error:
            _log.warning("a claim is not renewed", error=type(error).__name__)


async def _keep(claim: Claim, response: HttpResponse) -> None:
    try:
        await database_sync_to_async(claims.keep)(claim, response.status_code, response.content)
    except (DatabaseError, InterfaceError) as error:
        # The answer is good all the same; asked again, the same run is carried out anew and not billed again.
        _log.error("an answer is not kept", error=type(error).__name__)


def _replayed(kept: Kept) -> HttpResponse:
    headers = {REPLAYED_HEADER: "true"}
    return HttpResponse(kept.body, status=kept.status, content_type="application/json", headers=headers)
