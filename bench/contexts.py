"""`python -m bench.contexts`: contexts over HTTP, beside the same interpreter and kernel with nothing around them.

A new context and its first cell, after a rest in which the next kernel is made ready; the cell `1+1` in a live one;
what an idle one holds in memory for itself; then so many of Python that are live at once, each with a state of its own,
and whether all answer right. Writes RUNCODE_HOME/bench/contexts.json; a ratio is service over bare.
"""

import argparse
import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from bench import service
from bench.__main__ import bare
from bench.memory import of_kernels
from execution.catalogue import COMPILERS, manifests_dir
from execution.environment import home, load_env_file
from execution.sandbox.client import SandboxClient
from execution.sandbox.job import MIB
from execution.sandbox.kernels import KERNELS

LANGUAGES = {"python": "print(6 * 7)", "typescript": "console.log(6 * 7)"}
CLIENTS = 16
WARM_UP = 3
# As many ready ones as before, for so long: nothing is being made any more.
QUIET_SECONDS, MOST_SECONDS = 0.5, 30.0


class Contexts:
    """A keep-alive connection to the contexts of a running service."""

    def __init__(self, running: service.BenchService) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", running.port)
        self._headers = {"X-API-Key": running.demo["api_key"], "Content-Type": "application/json"}

    def run(self, code: str, **fields: str) -> dict[str, Any]:
        answer = self._ask("POST", "/execute", {"code": code, **fields})
        if answer.get("error"):
            raise RuntimeError(f"the cell failed: {answer}")
        return answer

    def value(self, code: str, context_id: str) -> str:
        (item,) = self.run(code, context_id=context_id)["items"]
        return str(item["text"])

    def close(self, context_id: str) -> None:
        self._ask("DELETE", f"/contexts/{context_id}", None)

    def _ask(self, method: str, path: str, body: object) -> dict[str, Any]:
        self._connection.request(method, path, None if body is None else json.dumps(body), self._headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status not in (200, 204):
            raise RuntimeError(f"the service answered {response.status}: {text!r}")
        answer: dict[str, Any] = json.loads(text or b"{}")
        return answer


def rest(running: service.BenchService) -> None:
    """Returns once nothing is being made."""

    async def settled() -> None:
        client = SandboxClient(running.supervisor)
        began = same = time.monotonic()
        ready = None
        while time.monotonic() - same < QUIET_SECONDS and time.monotonic() - began < MOST_SECONDS:
            now = (await client.status())["ready"]
            if now != ready:
                ready, same = now, time.monotonic()
            await asyncio.sleep(0.05)
        await client.aclose()

    asyncio.run(settled())


def bare_kernel(kernel: str, samples: int) -> dict[str, Any]:
    manifest = manifests_dir(home()) / f"{KERNELS[kernel].compiler}.json"
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "bench.bare_kernel"]
    done = subprocess.run(
        [*command, str(manifest), kernel, str(samples)], check=True, stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def p50_ms(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 2)


def measure(running: service.BenchService, kernel: str, options: argparse.Namespace) -> dict[str, Any]:
    contexts, code = Contexts(running), LANGUAGES[kernel]
    compiler = KERNELS[kernel].compiler
    of_bare: list[float] = []
    of_new: list[float] = []
    with bare(manifests_dir(home()) / f"{compiler}.json", COMPILERS[compiler].sample) as interpreter:
        for number in range(WARM_UP + options.new):
            rest(running)
            bare_seconds = interpreter.ask(do="once")["seconds"]
            began = time.perf_counter()
            context_id = contexts.run(code, language=kernel)["context_id"]
            seconds = time.perf_counter() - began
            contexts.close(context_id)
            if number >= WARM_UP:
                of_bare.append(bare_seconds)
                of_new.append(seconds)
    context_id = contexts.run("1+1", language=kernel)["context_id"]
    rest(running)
    of_cells = []
    for _ in range(WARM_UP + options.cells):
        began = time.perf_counter()
        contexts.run("1+1", context_id=context_id)
        of_cells.append(time.perf_counter() - began)
    private = statistics.median(of_kernels(running.sandboxes, KERNELS[kernel])) / MIB
    contexts.close(context_id)
    rest(running)
    kernel_alone = bare_kernel(kernel, options.cells)
    rows = {
        "new_ms": (p50_ms(of_bare), p50_ms(of_new)),
        "cell_ms": (kernel_alone["cell_ms"], p50_ms(of_cells[WARM_UP:])),
        "private_mb": (kernel_alone["private_mb"], round(private, 1)),
    }
    ratios = {name: round(value / bare_value, 2) for name, (bare_value, value) in rows.items()}
    return {"rows": rows, "ratios": ratios, "kernel_start_ms": kernel_alone["start_ms"]}


def crowd(running: service.BenchService, number: int) -> dict[str, Any]:
    """So many live at once, by some clients."""

    def share(client: int) -> list[tuple[int, str]]:
        contexts = Contexts(running)
        return [(n, contexts.run(f"kept = {n}")["context_id"]) for n in range(client, number, CLIENTS)]

    def answers(opened: list[tuple[int, str]]) -> list[tuple[bool, float]]:
        contexts, told = Contexts(running), []
        for n, context_id in opened:
            began = time.perf_counter()
            right = contexts.value("kept * kept", context_id) == str(n * n)
            told.append((right, time.perf_counter() - began))
        return told

    def close(opened: list[tuple[int, str]]) -> None:
        contexts = Contexts(running)
        for _, context_id in opened:
            contexts.close(context_id)

    with ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()
        shares = list(pool.map(share, range(CLIENTS)))
        opening = time.perf_counter() - began
        told = [answer for some in pool.map(answers, shares) for answer in some]
        private = of_kernels(running.sandboxes, KERNELS["python"])
        list(pool.map(close, shares))
    return {
        "live": number,
        "right": sum(right for right, _ in told),
        "opened_in_seconds": round(opening, 1),
        "p50_ms": p50_ms([seconds for _, seconds in told]),
        "private_mb": round(statistics.median(private) / MIB, 1),
    }


LABELS = {
    "new_ms": "a new one and its first cell, ms",
    "cell_ms": "1+1 in a live one, ms",
    "private_mb": "private memory of an idle one, MB",
}


def table(results: Mapping[str, Any]) -> str:
    lines = []
    for kernel in LANGUAGES:
        figures = results[kernel]
        lines += ["", f"{kernel}", f"  {'':<36}{'bare':>10}{'context':>10}{'ratio':>8}"]
        for name, label in LABELS.items():
            bare_value, value = figures["rows"][name]
            lines.append(f"  {label:<36}{bare_value:>10.2f}{value:>10.2f}{figures['ratios'][name]:>7.2f}×")
        lines.append(f"  the kernel alone is up after {figures['kernel_start_ms']:.0f} ms")
    many = results["many"]
    lines += [
        "",
        f"{many['right']} of {many['live']} live contexts answered right; {CLIENTS} clients, "
        f"p50 {many['p50_ms']:.1f} ms, opened in {many['opened_in_seconds']:.1f} s; {many['private_mb']:.1f} MB each",
    ]
    return "\n".join(lines)


def main() -> int:
    load_env_file()
    parser = argparse.ArgumentParser(prog="python -m bench.contexts", description="What contexts cost.")
    parser.add_argument("--new", type=int, default=10, help="new contexts of each language")
    parser.add_argument("--cells", type=int, default=200, help="cells in a live one")
    parser.add_argument("--live", type=int, default=100, help="contexts that are live at once")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The bare side changes its root, for which it must be root: sudo make bench-contexts", file=sys.stderr)
        return 1
    results: dict[str, Any] = {"cores": os.cpu_count(), "measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
    with service.running(home() / "toolchains") as running:
        for kernel in LANGUAGES:
            results[kernel] = measure(running, kernel, options)
        results["many"] = crowd(running, options.live)
    print(table(results))
    file = home() / "bench" / "contexts.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file}")
    return 0 if results["many"]["right"] == options.live else 1


if __name__ == "__main__":
    sys.exit(main())
