"""This process's connection to the sandbox supervisor: one client for each event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from django.conf import settings

from execution.sandbox.client import SandboxClient
from execution.sandbox.supervisor import socket_path

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, SandboxClient] = WeakKeyDictionary()


def sandbox_client() -> SandboxClient:
    """The running event loop's client. A web process has one loop; tests and commands come and go with theirs."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = _clients[loop] = SandboxClient(socket_path(settings.RUNCODE_HOME))
    return client


@asynccontextmanager
async def sandbox_connections() -> AsyncIterator[None]:
    """Closes the loop's connections when the process stops."""
    try:
        yield
    finally:
        if client := _clients.pop(asyncio.get_running_loop(), None):
            await client.aclose()
