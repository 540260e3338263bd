"""One client that stays connected: who it is, for how long it may stay, and its seat among its organisation's."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from accounts.authentication import authenticate_key
from accounts.caller import Caller
from accounts.client_ip import client_ip
from billing.subscriptions import plan_for
from config.errors import ApiError
from execution.capacity import admit_connection
from execution.realtime import open_now
from execution.realtime.asgi import headers_of


class Connection:
    """An accepted connection. `id` is what its rate and its seat are counted under, `caller` whose key it holds,
    `surface` the one of Run.Surface under which its runs stand in the history.

    `on_refused` is called on the event loop, once, when the key is no longer good: with what a new connection would be
    told. It must end the connection.
    """

    def __init__(
        self, scope: Mapping[str, Any], *, key: str, surface: str, on_refused: Callable[[ApiError], None]
    ) -> None:
        self.id = uuid4().hex
        self.surface = surface
        self.caller: Caller
        self._key = key
        self._address = client_ip(scope)
        self._origin = headers_of(scope).get("origin")
        self._on_refused = on_refused
        self._refused = False

    async def authenticate(self) -> None:
        """Who the client is. Raises NotAuthenticated and PermissionDenied."""
        self.caller = await authenticate_key(self._key, client_ip=self._address, origin=self._origin, kind="websocket")

    async def check(self) -> bool:
        """Whether the key is still good; `on_refused` has been called when it is not."""
        try:
            await self.authenticate()
        except ApiError as error:
            if not self._refused:
                self._refused = True
                self._on_refused(error)
        return not self._refused


@asynccontextmanager
async def connect(
    scope: Mapping[str, Any], *, key: str, surface: str, on_refused: Callable[[ApiError], None]
) -> AsyncIterator[Connection]:
    """The client of an ASGI scope, with the key that it presented; leaving the block gives its seat back.

    Raises NotAuthenticated, PermissionDenied, LimitExceeded when all seats are taken, and Unavailable.
    """
    connection = Connection(scope, key=key, surface=surface, on_refused=on_refused)
    await connection.authenticate()
    plan = await plan_for(connection.caller.organisation_id)
    async with admit_connection(connection.caller, plan, connection=connection.id):
        with open_now.listed(connection):
            # Again: the key may have been revoked since, and before the list was there to be told.
            await connection.authenticate()
            yield connection
