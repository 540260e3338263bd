"""The supervisor: owns every sandbox of this host and serves jobs over a Unix socket that only its owner may use."""

import asyncio
import fcntl
import logging
import os
from pathlib import Path

from execution.sandbox import context_requests, wire, wire_contexts
from execution.sandbox.builds import BuildCache, build_key
from execution.sandbox.contexts import Contexts
from execution.sandbox.driver import Driver
from execution.sandbox.errors import SandboxError, SandboxUnavailable
from execution.sandbox.job import MIB, Job, Result
from execution.sandbox.kernel import Kernel
from execution.sandbox.kernels import KERNELS
from execution.sandbox.live import Live
from execution.sandbox.toolchain import Toolchain, Toolchains

log = logging.getLogger(__name__)

# A job waits this many seconds for room on a full host before it is refused.
ROOM_TIMEOUT = 10.0
# What each running program may use, and the share of the host's memory that all together may.
MEMORY_PER_RUN, MEMORY_SHARE = 512 * MIB, 0.75
MOST_RUNNING = 64
# How often the installed toolchains are looked at, in seconds.
WARM_INTERVAL = 5.0


def socket_path(home: Path) -> Path:
    return home / "run" / "sandbox.sock"


def claim(home: Path) -> int:
    """Makes this process the only supervisor of `home`, until the returned descriptor is closed or the process ends.

    Raises SandboxUnavailable where another one serves it."""
    path = socket_path(home).with_suffix(".lock")
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SandboxUnavailable(
            f"Another supervisor serves {home} already. Stop it, or set RUNCODE_HOME to another folder."
        ) from None
    return lock


class Supervisor:
    """Admits jobs as the host's memory allows, resolves their toolchain, and has the driver run them. `ready`: the
    compilers whose sandboxes are always made ahead, None for all; the others' are while they are in demand."""

    def __init__(self, *, home: Path, toolchains: Path, driver: Driver, ready: frozenset[str] | None = None) -> None:
        self._home = home
        self._driver = driver
        self._ready = ready
        self._toolchains = Toolchains(toolchains)
        self._builds = BuildCache(home / "cache" / "builds")
        self.contexts = Contexts(self._kernel)
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self._most_running = max(1, min(MOST_RUNNING, int(memory * MEMORY_SHARE / MEMORY_PER_RUN)))
        self._room = asyncio.Semaphore(self._most_running)
        self._running = 0

    async def serve(self, stopped: asyncio.Event, *, owner: int | None = None) -> None:
        """Serves until `stopped` is set, then ends all runs. `owner`: the user who may connect, when not this one."""
        path = socket_path(self._home)
        await self._driver.start()
        if missing := (self._ready or frozenset()) - {each.id for each in self._toolchains.all()}:
            log.warning("RUNCODE_READY names what is not installed: %s", ", ".join(sorted(missing)))
        background = [asyncio.create_task(work) for work in (self._keep_warm(), self.contexts.expire())]
        path.unlink(missing_ok=True)
        connections: set[_Connection] = set()
        previous = os.umask(0o177)
        try:
            server = await asyncio.get_running_loop().create_unix_server(lambda: _Connection(self, connections), path)
        finally:
            os.umask(previous)
        if owner is not None:
            os.chown(path, owner, -1)
        log.info("serving on %s with the %s driver, %d runs at once", path, self._driver.name, self._most_running)
        await stopped.wait()
        for task in background:
            task.cancel()
        server.close()
        path.unlink(missing_ok=True)
        for connection in list(connections):
            await connection.end()
        await self.contexts.close_all()
        await self._driver.stop()
        await self._builds.close()

    async def _keep_warm(self) -> None:
        """Follows installations and removals: a new toolchain is warm without a restart."""
        while True:
            try:
                installed = self._toolchains.all()
                self._driver.warm(each for each in installed if self._ready is None or each.id in self._ready)
            except SandboxError as error:
                log.warning("%s", error)
            await asyncio.sleep(WARM_INTERVAL)

    async def run(self, message: wire.Message, live: Live | None) -> Result:
        job = wire.decode_job(message)
        if fault := job.fault():
            raise SandboxError(f"The job was not started: {fault}.")
        toolchain = self._toolchains.get(job.compiler)
        if job.command:
            toolchain = toolchain.with_command(job.command)
        try:
            await asyncio.wait_for(self._room.acquire(), ROOM_TIMEOUT)
        except TimeoutError:
            raise SandboxUnavailable("All sandboxes of this host are busy; try again in some seconds.") from None
        self._running += 1
        try:
            return await self._compile_once(job, toolchain, live)
        finally:
            self._running -= 1
            self._room.release()

    async def _compile_once(self, job: Job, toolchain: Toolchain, live: Live | None) -> Result:
        key = build_key(job, toolchain)
        if key is None:
            return await self._driver.run(job, toolchain, live=live)
        if build := await self._builds.get(key):
            return await self._driver.run(job, toolchain, live=live, build=build)
        with self._builds.making(key) as keep:
            return await self._driver.run(job, toolchain, live=live, keep=keep)

    async def _kernel(self, kernel_id: str) -> Kernel:
        spec = KERNELS[kernel_id]
        return await self._driver.kernel(spec, self._toolchains.get(spec.compiler))

    def status(self) -> dict[str, object]:
        return {
            "driver": self._driver.name,
            "running": self._running,
            "most_running": self._most_running,
            "ready": self._driver.ready(),
            "contexts": self.contexts.count,
            "compilers": [toolchain.id for toolchain in self._toolchains.all()],
        }


class _Connection(asyncio.Protocol):
    """One client: a request at a time; its going away cancels what it asked for, its reading slowly slows it down."""

    def __init__(self, supervisor: Supervisor, connections: "set[_Connection]") -> None:
        self._supervisor = supervisor
        self._connections = connections
        self._decoder = wire.Decoder()
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None
        self._live: Live | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what create_unix_server makes)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._decoder.feed(data)
        except ValueError as error:
            log.warning("closing a connection: %s", error)
            self._transport.abort()
            return
        for message in messages:
            if message.kind in ("input", "input_end"):
                self._take_input(message)
                continue
            if self._task is not None:
                log.warning("closing a connection: a second request before the first was answered")
                self._transport.abort()
                return
            if message.fields.get("live"):
                self._live = self._watched()
            self._task = asyncio.get_running_loop().create_task(self._answer(message))

    def pause_writing(self) -> None:
        if self._live is not None:
            self._live.pause()

    def resume_writing(self) -> None:
        if self._live is not None:
            self._live.resume()

    async def end(self) -> None:
        task = self._task
        self._transport.abort()
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _answer(self, message: wire.Message) -> None:
        try:
            if message.kind == "run":
                answer = wire.encode_result(await self._supervisor.run(message, self._live))
            elif message.kind in wire_contexts.KINDS:
                contexts, send = self._supervisor.contexts, self._transport.write
                answer = await context_requests.answer(contexts, message, self._live, send)
            else:
                answer = wire.encode("status", {"status": self._supervisor.status()})
        except SandboxError as error:
            log.warning("a run failed: %s", error)
            answer = wire.encode_error(error)
        except Exception:
            log.exception("a run failed")
            answer = wire.encode_error(SandboxError("The sandbox failed; the supervisor's log says why."))
        self._task = self._live = None
        self._transport.write(answer)

    def _watched(self) -> Live:
        return Live(
            on_output=lambda stream, data: self._transport.write(wire.encode("output", {"stream": stream}, data)),
            on_state=lambda state: self._transport.write(wire.encode("state", {"state": state})),
        )

    def _take_input(self, message: wire.Message) -> None:
        if self._live is None:
            return
        if message.kind == "input_end":
            self._live.end_input()
        else:
            self._live.write(message.blobs[0])
