"""One process's share of the attempts: takes what is due, sends it, notes what came of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from execution.bells import deliveries_due
from execution.callbacks import deliveries
from execution.callbacks.endpoints import signing_secrets
from execution.callbacks.sending import Attempted, Message, Sender
from execution.database_thread import DatabaseThread
from execution.models import Delivery

_log = structlog.get_logger("runcode.callbacks")

MOST_AT_ONCE: Final = 32
# How often somebody looks for what is due who was not told, in seconds.
POLL_SECONDS: Final = 1.0
# How long attempts under way are waited for when the process stops; one that is broken off is made again later.
PATIENCE_SECONDS: Final = 3.0


class Courier:
    """Belongs to one event loop. `work` delivers until cancelled, `work_once` makes the attempts that are due now."""

    def __init__(self) -> None:
        self._database = DatabaseThread("callbacks")
        self._sender = Sender(allow_private=settings.CALLBACK_ALLOW_PRIVATE)
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._attempts: dict[asyncio.Task[None], int] = {}

    def wake(self) -> None:
        """Something is due. From any thread."""
        with suppress(RuntimeError):  # the loop is closed: its process is stopping
            self._loop.call_soon_threadsafe(self._woken.set)

    async def work(self) -> None:
        """Delivers for ever. An outage of the database is outlasted."""
        while True:
            self._woken.clear()
            try:
                started = await self._start(MOST_AT_ONCE - len(self._attempts))
            except (DatabaseError, InterfaceError) as error:
                _log.warning("deliveries cannot be read", error=type(error).__name__)
                started = 0
            if not started:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._woken.wait()

    async def work_once(self, most: int = 1) -> int:
        """Attempts up to `most` deliveries that are due, to the end; returns how many."""
        before = set(self._attempts)
        started = await self._start(most)
        if mine := set(self._attempts) - before:
            await asyncio.wait(mine)
        return started

    async def aclose(self) -> None:
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=PATIENCE_SECONDS)
        for attempt in list(self._attempts):
            attempt.cancel()
        if self._attempts:
            await asyncio.wait(self._attempts)
        await self._sender.aclose()
        await self._database.aclose()

    async def _start(self, most: int) -> int:
        if most <= 0:
            return 0
        taken = await self._database(deliveries.claim, most, Counter(self._attempts.values()))
        for delivery in taken:
            attempt = asyncio.create_task(self._attempt(delivery))
            self._attempts[attempt] = delivery.endpoint_id
            attempt.add_done_callback(self._ended)
        return len(taken)

    def _ended(self, attempt: "asyncio.Task[None]") -> None:
        del self._attempts[attempt]
        # There is room for the next, which may have waited for it.
        self._woken.set()

    async def _attempt(self, delivery: Delivery) -> None:
        endpoint = delivery.endpoint
        url = endpoint.key.redirect_url
        try:
            if url:
                secrets = signing_secrets(endpoint)
                message = Message(url=url, webhook_id=delivery.webhook_id, body=bytes(delivery.body), secrets=secrets)
                attempted = await self._sender.send(message)
            else:
                attempted = Attempted(None, "The key has no redirect URL any more.", 0.0)
            await self._database(deliveries.record, delivery, url, attempted)
        except Exception:
            # Its next attempt is due when the lease is over.
            _log.exception("an attempt at a delivery is not recorded", delivery=delivery.pk)


@asynccontextmanager
async def courier_service() -> AsyncIterator[Courier]:
    """The courier of a web process without a broker."""
    courier = Courier()
    work = asyncio.create_task(courier.work())
    try:
        with deliveries_due.answered_by(courier.wake):
            yield courier
    finally:
        work.cancel()
        await asyncio.wait([work])
        await courier.aclose()
