"""`python -m tests.soak.contexts`: hundreds of contexts that are opened, used, restarted now and then, and closed, by
several clients at once; then nothing may be left of them and every answer must have been right.

DRIVER=docker takes the other driver, CYCLES and CLIENTS another number. Ends with 1 where something is wrong.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator

import django

from execution.sandbox.cells import Cell, CellOutcome
from execution.sandbox.client import SandboxClient
from execution.sandbox.context_client import ContextClient
from execution.sandbox.errors import SandboxError
from execution.sandbox.job import MIB, Limits
from tests.abuse.drivers import HOSTS
from tests.abuse.hosts import Host, Standing

CYCLES, CLIENTS = int(os.environ.get("CYCLES", "500")), int(os.environ.get("CLIENTS", "4"))
# What stands after so many, every pool filled, must stand at the end.
WARM_UP = min(50, CYCLES // 4)
SCOPE = "soak"
# Leaves a process, a file, a socket and a thread behind, for whoever closes the context.
LEAVES = {
    "python": "import os, socket, subprocess, threading\nopen('left', 'w').write('x' * 10**6)\n"
    "left = socket.socketpair(), subprocess.Popen(['sleep', '1000']), os.memfd_create('left')\n"
    "threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "typescript": "require('fs').writeFileSync('left', 'x'.repeat(1e6)); "
    "require('child_process').spawn('sleep', ['1000']); setInterval(() => {}, 10); undefined",
}


async def cycle(contexts: ContextClient, number: int) -> str | None:
    """One context from its opening to its end; what was wrong with it."""
    kernel = "typescript" if number % 5 == 0 else "python"
    info = await contexts.open(scope=SCOPE, kernel=kernel, limits=Limits(), idle_seconds=600, most=100)
    try:
        for _ in range(1 + (number % 7 == 0)):
            await contexts.execute(scope=SCOPE, context_id=info.id, cell=Cell(LEAVES[kernel]))
            told = await contexts.execute(scope=SCOPE, context_id=info.id, cell=Cell(f"{number} * {number}"))
            values = [item.data["text/plain"] for item in told.items]
            if told.outcome is not CellOutcome.SUCCESS or values != [str(number**2)]:
                return f"context {number}: {told}"
            if number % 7 == 0:
                await contexts.restart(scope=SCOPE, context_id=info.id)
    finally:
        await contexts.close(scope=SCOPE, context_id=info.id)
    return None


async def cycles(host: Host, numbers: Iterator[int], wrong: list[str]) -> Standing:
    """So many, by all clients; how the host stands afterwards."""
    client = SandboxClient(host.supervisor.socket)

    async def work() -> None:
        for number in numbers:
            try:
                fault = await cycle(ContextClient(client), number)
            except SandboxError as error:
                fault = f"context {number}: {error}"
            if fault:
                wrong.append(fault)

    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    await host.settled(client)
    standing = host.standing()
    await client.aclose()
    return standing


async def soak(host: Host) -> list[str]:
    wrong: list[str] = []
    began = time.monotonic()
    warm = await cycles(host, iter(range(WARM_UP)), wrong)
    end = await cycles(host, iter(range(WARM_UP, CYCLES)), wrong)
    print(f"{CYCLES} contexts in {time.monotonic() - began:.0f} s, {CLIENTS} clients")
    print(f"supervisor's memory after {WARM_UP}: {warm.memory / MIB:.1f} MB, at the end {end.memory / MIB:.1f} MB")
    print(f"supervisor's descriptors: {warm.descriptors}, at the end {end.descriptors}")
    return wrong + [f"left: {line}" for line in host.left(warm)]


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    driver = os.environ.get("DRIVER", "native")
    if driver not in HOSTS:
        print(f"No driver is called {driver}; there are {', '.join(HOSTS)}.")
        return 2
    with HOSTS[driver]() as host:
        wrong = asyncio.run(soak(host))
    for line in wrong[:20]:
        print(f"! {line}")
    print("Everything is right." if not wrong else f"{len(wrong)} things are wrong.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
