"""When each key was last used, written behind the requests.

`record` costs one dictionary access; `keep_writing`, a background task of each web process, stores what has gathered
every WRITE_SECONDS in one statement per kind of key. What a crash loses is at most that stretch of a time that is
only shown to people.
"""

import asyncio
import datetime
import time

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.db.models import Case, DateTimeField, F, Q, Value, When

from accounts.caller import Caller
from accounts.models import ApiKey, WebSocketKey

log = structlog.get_logger(__name__)

WRITE_SECONDS = 15.0
# SQLite takes 32,766 parameters in a statement, a key needs four.
KEYS_PER_STATEMENT = 1000

_used: dict[str, dict[int, float]] = {"api": {}, "websocket": {}}


def record(caller: Caller) -> None:
    """Notes that the caller's key was used now. To be called on the event loop of `keep_writing`."""
    _used[caller.kind][caller.key_id] = time.time()


async def write() -> None:
    """Stores what was recorded since the last call; raises DatabaseError and keeps it when the database refuses."""
    for kind, model in (("api", ApiKey), ("websocket", WebSocketKey)):
        gathered, _used[kind] = _used[kind], {}
        if not gathered:
            continue
        try:
            await database_sync_to_async(_store)(model, gathered)
        except DatabaseError:
            _used[kind] = gathered | _used[kind]
            raise


async def keep_writing() -> None:
    """Writes periodically until cancelled, and once more then."""
    try:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await _try_to_write()
    finally:
        await _try_to_write()


async def _try_to_write() -> None:
    try:
        await write()
    except DatabaseError as error:
        log.warning("last_used_not_written", error=type(error).__name__)


def _store(model: type[ApiKey] | type[WebSocketKey], gathered: dict[int, float]) -> None:
    pending = sorted(gathered.items())
    for start in range(0, len(pending), KEYS_PER_STATEMENT):
        batch = [
            (key_id, datetime.datetime.fromtimestamp(at, datetime.UTC))
            for key_id, at in pending[start : start + KEYS_PER_STATEMENT]
        ]
        # Another process may have written a later use: the time never runs backwards.
        cases = [
            When(Q(last_used_at=None) | Q(last_used_at__lt=moment), pk=key_id, then=Value(moment))
            for key_id, moment in batch
        ]
        model.objects.filter(pk__in=[key_id for key_id, _ in batch]).update(
            last_used_at=Case(*cases, default=F("last_used_at"), output_field=DateTimeField())
        )
