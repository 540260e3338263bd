"""The Docker SDK for an event loop: each call in a thread, and the address for what goes past the SDK."""

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from execution.sandbox.errors import SandboxUnavailable

T = TypeVar("T")

DEFAULT_HOST = "unix:///var/run/docker.sock"
# Calls at once; each waits for the Engine, which has its own order.
THREADS = 12
ANSWER_SECONDS = 120


class Engine:
    """An Engine that answers. `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` name it, as for every client.

    Made by `connect`."""

    def __init__(self, api: Any, host: str, tls: Any) -> None:
        self.api = api
        self.host = host
        self._tls = tls
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")

    @classmethod
    def connect(cls) -> "Engine":
        """Raises SandboxUnavailable, with the remedy in words."""
        options = kwargs_from_env()
        host = options.get("base_url", DEFAULT_HOST)
        if urlsplit(host).scheme not in ("unix", "tcp", "http", "https"):
            raise SandboxUnavailable(
                f"DOCKER_HOST={host} cannot be used: give a unix:// or tcp:// address (an Engine behind ssh: forward "
                "its socket with ssh -nNT -L /run/engine.sock:/var/run/docker.sock HOST)."
            )
        try:
            api = docker.APIClient(version="auto", timeout=ANSWER_SECONDS, max_pool_size=THREADS, **options)
        except DockerException as error:
            raise SandboxUnavailable(
                f"No Docker Engine answers at {host} ({error}). Start it (systemctl start docker), or name another "
                "with DOCKER_HOST."
            ) from None
        return cls(api, host, options.get("tls"))

    async def do(self, call: Callable[[Any], T]) -> T:
        """What `call` returns for the SDK's client; raises what it raises (docker.errors.APIError)."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, self.api)

    async def open(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """A connection of one's own to the Engine."""
        loop = asyncio.get_running_loop()
        address = urlsplit(self.host)
        if address.scheme == "unix":
            await loop.create_unix_connection(protocol, address.path)
            return
        context = None if self._tls is None else _tls_context(self._tls)
        port = address.port or (2375 if context is None else 2376)
        await loop.create_connection(protocol, address.hostname or "", port, ssl=context)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.api.close()


def _tls_context(tls: Any) -> ssl.SSLContext:
    """The SDK's own settings (docker.tls.TLSConfig) for asyncio."""
    context = ssl.create_default_context(cafile=tls.ca_cert if tls.ca_cert and Path(tls.ca_cert).exists() else None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(*tls.cert)
    return context
