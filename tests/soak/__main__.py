"""`make soak`: thousands of runs of all installed languages by several clients at once, a tenth of them hostile; then
nothing may be left of them, memory must be where it was, every answer right and every toolchain untouched.

DRIVER=docker takes the other driver, RUNS, CLIENTS and SEED another size, number and order. SIGTERM
ends it early. Prints figures and what is wrong; ends with 1 where something is.
"""

import asyncio
import os
import signal
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import django
from django.conf import settings

from execution.catalogue import Manifest, installed
from execution.sandbox.client import SandboxClient
from execution.sandbox.errors import SandboxError
from execution.sandbox.job import MIB, Result
from tests.abuse.drivers import HOSTS
from tests.abuse.hosts import Host, Standing
from tests.abuse.untouched import changes
from tests.soak.mix import Case, cases

SIZES = {"RUNS": 2000, "CLIENTS": 8, "SEED": 1}
RUNS, CLIENTS, SEED = (int(os.environ.get(name, default)) for name, default in SIZES.items())
# What stands after so many runs, every pool and cache filled, must stand at the end.
WARM_UP = min(200, RUNS // 4)
# A program that met its time limit with less than this share of a core had none on a busy host: it is run again.
STARVED_SHARE, MOST_ATTEMPTS = 0.2, 10
MOST_SHOWN = 20


def starved(result: Result) -> bool:
    return result.exit_code == 124 and result.cpu_seconds < STARVED_SHARE * result.total_seconds


class Soak:
    def __init__(self, host: Host) -> None:
        self.host = host
        self.wrong: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.rows: dict[int, list[tuple[float, Result]]] = defaultdict(list)
        self.done = 0
        self.starved = 0
        self.stopped = False

    async def run(self, some: Iterator[Case]) -> Standing:
        """All of them; how the host stands afterwards."""
        client = SandboxClient(self.host.supervisor.socket)
        try:
            await asyncio.gather(*(self._client(client, some) for _ in range(CLIENTS)))
            await self.host.settled(client)
            return self.host.standing()
        finally:
            await client.aclose()

    def stop(self) -> None:
        self.stopped = True

    async def _client(self, client: SandboxClient, some: Iterator[Case]) -> None:
        for case in some:
            if self.stopped:
                return
            await self._one(client, case)
            self.done += 1
            if self.done % 50 == 0:
                print(f"  {self.done} runs, {len(self.wrong)} wrong", flush=True)

    async def _one(self, client: SandboxClient, case: Case) -> None:
        for attempt in range(MOST_ATTEMPTS):
            began = time.monotonic()
            try:
                result = await client.run(case.job)
            except SandboxError as error:
                self.wrong.append(f"{case.name}: {error}")
                return
            try:
                case.verify(result)
            except AssertionError as error:
                if starved(result) and attempt < MOST_ATTEMPTS - 1:
                    self.starved += 1
                    continue
                self.wrong.append(f"{case.name}: {error!s:.500}")
                return
            self.outcomes[result.outcome] += 1
            if case.row is not None:
                self.rows[case.row.number].append((time.monotonic() - began, result))
            return


async def soak(host: Host, here: Mapping[str, Manifest]) -> Soak:
    soak, all_cases = Soak(host), cases(here, seed=SEED)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, soak.stop)
    began = time.monotonic()
    warm = await soak.run(islice(all_cases, WARM_UP))
    end = await soak.run(islice(all_cases, RUNS - WARM_UP))
    seconds = time.monotonic() - began
    left = host.left(warm)
    soak.wrong += [f"left: {line}" for line in left]
    rate = f"{seconds:.0f} s, {soak.done / seconds:.1f} runs/s"
    print(f"\n{soak.done} runs, {len(here)} languages, {CLIENTS} clients: {rate}")
    print("outcomes: " + ", ".join(f"{count} {outcome}" for outcome, count in soak.outcomes.most_common()))
    print(f"run again, because a busy host gave them no processor: {soak.starved}")
    print(f"supervisor's memory after {WARM_UP} runs {warm.memory / MIB:.1f} MB, at the end {end.memory / MIB:.1f} MB")
    print(f"left behind: {len(left)}")
    return soak


def show_rows(soak: Soak) -> None:
    print("\n row  runs  median s  most MB  outcomes")
    for number, results in sorted(soak.rows.items()):
        took = statistics.median(seconds for seconds, _ in results)
        memory = max(result.memory_bytes for _, result in results) / MIB
        outcomes = ", ".join(sorted({result.outcome.value for _, result in results}))
        print(f"{number:4} {len(results):5} {took:9.2f} {memory:8.0f}  {outcomes}")


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    driver = os.environ.get("DRIVER", "native")
    if driver not in HOSTS:
        print(f"No driver is called {driver}; there are {', '.join(HOSTS)}.")
        return 2
    home = Path(settings.RUNCODE_HOME)
    here = installed(home)
    print(f"Soak of the {driver} driver: {RUNS} runs, {CLIENTS} clients, seed {SEED}")
    with HOSTS[driver]() as host:
        result = asyncio.run(soak(host, here))
    show_rows(result)
    changed = changes(home)
    print(f"\ntoolchain files that are not as they were installed: {len(changed)}")
    result.wrong += changed
    for line in result.wrong[:MOST_SHOWN]:
        print(f"! {line}")
    print("Everything is right." if not result.wrong else f"{len(result.wrong)} things are wrong.")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
