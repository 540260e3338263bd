"""Takes out the answers whose day is over: once an hour in each web process, a little at a time."""

import asyncio
import random
from typing import Final

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from execution.idempotency import claims

_log = structlog.get_logger("runcode.idempotency")

EVERY_SECONDS: Final = 3600.0
CHUNK: Final = 200


async def keep_expiring() -> None:
    """The background task of a web process."""
    while True:
        # Not all processes of an installation at once, and not in the rush of a start.
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.05, 1))  # noqa: S311
        try:
            while await database_sync_to_async(claims.expire)(most=CHUNK) == CHUNK:
                pass
        except (DatabaseError, InterfaceError) as error:
            _log.warning("kept answers do not expire", error=type(error).__name__)
