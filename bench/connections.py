"""`python -m bench.connections`: what idle connections cost, in memory and in the calls made beside them.

One web process, 1,000 Socket.IO connections and 200 WebSockets. Calls are measured in turns without and with them, so
that both meet the same machine; a ratio is with over without. Writes RUNCODE_HOME/bench/connections.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import service
from execution.catalogue import COMPILERS
from execution.environment import home, load_env_file

CONNECTIONS = {"socketio": 1000, "websocket": 200}
COMPILER = "python-3.14"
CLIENTS = 8
REST_SECONDS = 0.05
SETTLE_SECONDS = 3.0

# A plan has at most 1,000 seats: the WebSockets are another organisation's.
NEIGHBOUR = """
from accounts.key_lifecycle import create_websocket_key
from accounts.models import User
from accounts.organisations import ensure_personal_organisation
from billing.plans import SCALE
from billing.subscriptions import subscribe
user = User.objects.create_user("neighbour@runcode.example")
organisation = ensure_personal_organisation(user=user)
subscribe(organisation.pk, SCALE)
print(create_websocket_key(organisation=organisation, created_by=user, name="Bench").value)
"""


@contextmanager
def idle(port: int, kind: str, key: str, number: int) -> Iterator[None]:
    """Holds so many connections open."""
    command = [sys.executable, "-m", "bench.idle", str(port), kind, key, str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline() != "open\n":
            raise RuntimeError(f"{kind} connections could not be opened; what was said stands above")
        yield
        process.stdin.close()


def memory(pid: int) -> int:
    """Bytes that the process holds in memory, shared pages in parts (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("The kernel does not tell the memory of a process.")


def calls(running: service.BenchService, options: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds of calls one at a time, then runs of several clients at once."""
    call = {"compiler": COMPILER, "code": COMPILERS[COMPILER].sample, "expected": "Hello, World!\n"}
    connection = running.connect(**call)
    samples = []
    for _ in range(options.samples):
        time.sleep(REST_SECONDS)
        began = time.perf_counter()
        connection.call()
        samples.append((time.perf_counter() - began) * 1000)
    connection.close()
    load = running.load(clients=CLIENTS, seconds=options.seconds, **call)
    return {"ms": samples, **load}


def figures(turns: list[dict[str, Any]]) -> dict[str, float]:
    return {
        "p50_ms": round(statistics.median([sample for turn in turns for sample in turn["ms"]]), 3),
        "runs_per_second": round(_sum(turns, "runs") / _sum(turns, "seconds"), 1),
        "cpu_ms": round(_sum(turns, "cpu_seconds") / _sum(turns, "runs") * 1000, 3),
    }


def _sum(turns: list[dict[str, Any]], name: str) -> float:
    return sum(turn[name] for turn in turns)


def measure(running: service.BenchService, options: argparse.Namespace) -> dict[str, Any]:
    neighbour = running.manage("shell", "-v0", "-c", NEIGHBOUR).decode().strip()
    keys = {"socketio": running.demo["websocket_key"], "websocket": neighbour}
    calls(running, options)  # to warm up
    without: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    kilobytes: dict[str, float] = {}
    for _ in range(options.rounds):
        without.append(calls(running, options))
        with ExitStack() as stack:
            for kind, number in CONNECTIONS.items():
                before = memory(running.web)
                stack.enter_context(idle(running.port, kind, keys[kind], number))
                time.sleep(SETTLE_SECONDS)
                # Of the first round: later ones find what the allocator kept.
                kilobytes.setdefault(kind, round((memory(running.web) - before) / number / 1024, 1))
            beside.append(calls(running, options))
        time.sleep(SETTLE_SECONDS)
    plain, loaded = figures(without), figures(beside)
    return {
        "connections": CONNECTIONS,
        "kilobytes_per_connection": kilobytes,
        "without": plain,
        "with": loaded,
        "p50_ratio": round(loaded["p50_ms"] / plain["p50_ms"], 3),
        "throughput_ratio": round(loaded["runs_per_second"] / plain["runs_per_second"], 3),
        "cpu_ratio": round(loaded["cpu_ms"] / plain["cpu_ms"], 3),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def table(result: Mapping[str, Any]) -> str:
    plain, loaded = result["without"], result["with"]
    lines = [f"  {'':<24}{'without':>10}{'with':>10}{'ratio':>8}"]
    for label, name, ratio in (
        ("p50, ms", "p50_ms", "p50_ratio"),
        (f"runs/s, {CLIENTS} clients", "runs_per_second", "throughput_ratio"),
        ("CPU per run, ms", "cpu_ms", "cpu_ratio"),
    ):
        lines.append(f"  {label:<24}{plain[name]:>10.2f}{loaded[name]:>10.2f}{result[ratio]:>7.2f}×")
    for kind, kilobytes in result["kilobytes_per_connection"].items():
        lines.append(f"  {result['connections'][kind]:,} {kind}: {kilobytes:.1f} KB of memory each")
    return "\n".join(lines)


def main() -> int:
    load_env_file()
    parser = argparse.ArgumentParser(prog="python -m bench.connections", description="What idle connections cost.")
    parser.add_argument("--samples", type=int, default=100, help="calls one at a time in each turn")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a turn with several clients at once")
    parser.add_argument("--rounds", type=int, default=3, help="turns without and with the connections")
    options = parser.parse_args()
    with service.running(home() / "toolchains") as running:
        result = measure(running, options)
    print(table(result))
    file = home() / "bench" / "connections.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
