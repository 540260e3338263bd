"""The processes that `serve` keeps alive: started again when they die, ended in order, never left behind."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from execution.environment import BASE_DIR

# Waiting times before a restart, in seconds: doubled with every death, from the first to the last, and back to the
# first once a process has lived for STEADY_SECONDS.
FIRST_WAIT, LAST_WAIT, STEADY_SECONDS = 0.2, 10.0, 30.0
# Between two looks whether a process serves yet: growing, so that one which answers "no" is not asked in a storm.
FIRST_LOOK, LAST_LOOK = 0.05, 1.0


class NeverReady(Exception):
    """A process ended before it was ready for the first time: something is wrong that a restart will not mend."""


def how_it_ended(code: int) -> str:
    """An exit status for people."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


@dataclass
class Child:
    """One process. `ready` tells (without waiting) whether it serves; `say` prints a line.

    With `tethered` the command holds our pipe as standard input and ends itself when we die; otherwise the kernel is
    asked to end it. Either way a killed `serve` leaves nothing running.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    say: Callable[[str], None]
    env: Mapping[str, str] | None = None
    pass_fds: Sequence[int] = ()
    tethered: bool = False
    grace: float = 15.0
    served: asyncio.Event = field(default_factory=asyncio.Event)
    _process: asyncio.subprocess.Process | None = None
    _stopping: bool = False

    async def keep(self) -> None:
        """Runs until `stop`. Raises NeverReady when the process ends before it has ever served."""
        wait = FIRST_WAIT
        while not self._stopping:
            started = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            if not self.served.is_set():
                raise NeverReady(f"The {self.name} {how_it_ended(code)} before it was ready.")
            if time.monotonic() - started > STEADY_SECONDS:
                wait = FIRST_WAIT
            self.say(f"The {self.name} {how_it_ended(code)}; starting it again in {wait:g} s.")
            await asyncio.sleep(wait)
            wait = min(2 * wait, LAST_WAIT)

    async def _run_once(self) -> int:
        prefix = () if self.tethered else ("setpriv", "--pdeathsig", "TERM", "--")
        self._process = await asyncio.create_subprocess_exec(
            *prefix,
            *self.argv,
            stdin=subprocess.PIPE if self.tethered else subprocess.DEVNULL,
            # Where our modules are found, wherever we were started.
            cwd=BASE_DIR,
            env={**os.environ, **(self.env or {})},
            pass_fds=self.pass_fds,
            # A Ctrl-C on the terminal is for us; we end the processes in the right order.
            start_new_session=True,
        )
        probe = asyncio.create_task(self._probe())
        try:
            return await self._process.wait()
        finally:
            probe.cancel()

    async def _probe(self) -> None:
        first = not self.served.is_set()
        pause = FIRST_LOOK
        while not await self.ready():
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, LAST_LOOK)
        self.served.set()
        if not first:
            self.say(f"The {self.name} is back.")

    async def stop(self) -> None:
        """Asks the process to end, and kills it after `grace` seconds."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        if self.tethered and process.stdin is not None:
            process.stdin.close()
        else:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self.grace)
        except TimeoutError:
            self.say(f"The {self.name} did not end within {self.grace:g} s and is killed.")
            process.kill()
            await process.wait()
