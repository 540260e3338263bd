"""`python -m bench [COMPILER…]`: a whole API call against the bare toolchain, measured in turns in one run.

Both sides run the same hello-world with the same files of the same toolchain. Latency is measured one call at a
time, in turns, each after a pause in which the host comes to rest (the service makes its next sandbox then, and must
not do so on the bare side's time); throughput with eight clients at once, in turns of some seconds. All of it for the
first compiler; of the others the latency alone, of a program that was never seen before and of one that is called
again. Prints tables and writes RUNCODE_HOME/bench/latest.json; a ratio is service over bare: below 1 is better, of
throughput above 1.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import service
from execution.catalogue import COMPILERS, installed, manifests_dir
from execution.environment import home, load_env_file

CLIENTS = 8
WARM_UP = 20
REST_SECONDS = 0.05
EXPECTED = "Hello, World!\n"


class Bare:
    """The process of bench/bare.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the bare side ended; what it said stands above")
        result: dict[str, Any] = json.loads(answer)
        return result


@contextmanager
def bare(manifest: Path, code: str) -> Iterator[Bare]:
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "bench.bare", str(manifest)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps([code, EXPECTED]) + "\n")
        process.stdin.flush()
        yield Bare(process)
        process.stdin.close()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def latencies(bare_side: Bare, connection: service.Connection, samples: int) -> tuple[list[float], list[float]]:
    """Seconds of each call: bare ones, then the service's."""
    of_bare: list[float] = []
    of_service: list[float] = []
    for number in range(WARM_UP + samples):
        time.sleep(REST_SECONDS)
        bare_seconds = bare_side.ask(do="once")["seconds"]
        time.sleep(REST_SECONDS)
        began = time.perf_counter()
        connection.call()
        service_seconds = time.perf_counter() - began
        if number >= WARM_UP:
            of_bare.append(bare_seconds)
            of_service.append(service_seconds)
    return of_bare, of_service


def add(total: dict[str, float], part: dict[str, Any]) -> None:
    for name, value in part.items():
        total[name] = total.get(name, 0) + value


def measure(compiler: str, running: service.BenchService, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one compiler."""
    code = COMPILERS[compiler].sample
    manifest = manifests_dir(home()) / f"{compiler}.json"
    call = {"compiler": compiler, "code": code, "expected": EXPECTED}
    connection = running.connect(**call)
    with bare(manifest, code) as bare_side:
        of_bare, of_service = latencies(bare_side, connection, options.samples)
        bare_load: dict[str, float] = {}
        service_load: dict[str, float] = {}
        for _ in range(options.rounds):
            add(bare_load, bare_side.ask(do="load", clients=CLIENTS, seconds=options.seconds))
            add(service_load, running.load(clients=CLIENTS, seconds=options.seconds, **call))
    connection.close()
    p50, bare_p50 = statistics.median(of_service), statistics.median(of_bare)
    rate, bare_rate = (side["runs"] / side["seconds"] for side in (service_load, bare_load))
    cpu, bare_cpu = (side["cpu_seconds"] / side["runs"] for side in (service_load, bare_load))
    return {
        "p50_ratio": round(p50 / bare_p50, 3),
        "p95_over_p50": round(percentile(of_service, 0.95) / p50, 3),
        "throughput_ratio": round(rate / bare_rate, 3),
        "cpu_ratio": round(cpu / bare_cpu, 3),
        "p50_ms": round(p50 * 1000, 2),
        "p95_ms": round(percentile(of_service, 0.95) * 1000, 2),
        "bare_p50_ms": round(bare_p50 * 1000, 2),
        "bare_p95_ms": round(percentile(of_bare, 0.95) * 1000, 2),
        "runs_per_second": round(rate, 1),
        "bare_runs_per_second": round(bare_rate, 1),
        "cpu_ms": round(cpu * 1000, 2),
        "bare_cpu_ms": round(bare_cpu * 1000, 2),
        "clients": CLIENTS,
        "samples": options.samples,
        "cores": os.cpu_count(),
        "version": installed(home())[compiler].version,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def measure_latency(compiler: str, running: service.BenchService, samples: int) -> dict[str, Any]:
    """p50 of a call with a new program each time, and of one with the same program again, which is kept compiled."""
    code = COMPILERS[compiler].sample
    connection = running.connect(compiler=compiler, code=code, expected=EXPECTED)
    of_bare: list[float] = []
    of_new: list[float] = []
    of_again: list[float] = []
    with bare(manifests_dir(home()) / f"{compiler}.json", code) as bare_side:
        for number in range(1 + samples):
            # Another program in every language, and for every run of the bench.
            changed = code + "\n" * (1 + number)
            time.sleep(REST_SECONDS)
            bare_seconds = bare_side.ask(do="once", code=changed)["seconds"]
            connection.send(changed)
            seconds = []
            for _ in range(2):
                time.sleep(REST_SECONDS)
                began = time.perf_counter()
                connection.call()
                seconds.append(time.perf_counter() - began)
            if number:
                of_bare.append(bare_seconds)
                of_new.append(seconds[0])
                of_again.append(seconds[1])
    connection.close()
    bare_p50, new_p50, again_p50 = map(statistics.median, (of_bare, of_new, of_again))
    return {
        "p50_ratio": round(new_p50 / bare_p50, 3),
        "again_p50_ratio": round(again_p50 / bare_p50, 3),
        "p50_ms": round(new_p50 * 1000, 2),
        "again_p50_ms": round(again_p50 * 1000, 2),
        "bare_p50_ms": round(bare_p50 * 1000, 2),
        "samples": samples,
        "cores": os.cpu_count(),
        "version": installed(home())[compiler].version,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


LATENCY_HEAD = f"\n  {'p50 of a whole call, ms':<28}{'bare':>10}{'new':>10}{'ratio':>8}{'again':>10}{'ratio':>8}"


def latency_row(compiler: str, figures: dict[str, Any]) -> str:
    return (
        f"  {compiler:<28}{figures['bare_p50_ms']:>10.2f}{figures['p50_ms']:>10.2f}{figures['p50_ratio']:>7.2f}×"
        f"{figures['again_p50_ms']:>10.2f}{figures['again_p50_ratio']:>7.2f}×"
    )


ROWS = (
    ("p50, ms", "bare_p50_ms", "p50_ms", "p50_ratio"),
    ("p95, ms", "bare_p95_ms", "p95_ms", None),
    (f"runs/s, {CLIENTS} clients", "bare_runs_per_second", "runs_per_second", "throughput_ratio"),
    ("CPU per run, ms", "bare_cpu_ms", "cpu_ms", "cpu_ratio"),
)


def table(compiler: str, figures: dict[str, Any]) -> str:
    lines = ["", f"{compiler} ({figures['version']})", f"  {'':<22}{'bare':>10}{'service':>10}{'ratio':>8}"]
    for label, bare_name, service_name, ratio_name in ROWS:
        bare_value, value = figures[bare_name], figures[service_name]
        ratio = figures[ratio_name] if ratio_name else value / bare_value
        lines.append(f"  {label:<22}{bare_value:>10.2f}{value:>10.2f}{ratio:>7.2f}×")
    bare_tail = figures["bare_p95_ms"] / figures["bare_p50_ms"]
    lines.append(f"  {'p95 over p50':<22}{bare_tail:>10.2f}{figures['p95_over_p50']:>10.2f}")
    return "\n".join(lines)


def main() -> int:
    load_env_file()
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures whole calls against the bare toolchain."
    )
    parser.add_argument("compilers", nargs="*", help="default: python-3.14, then every other that is installed")
    parser.add_argument("--samples", type=int, default=200, help="calls of each side for the latency")
    parser.add_argument("--latency-samples", type=int, default=15, help="calls of each side for the other compilers")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side for the throughput")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of such a turn")
    options = parser.parse_args()
    compilers = options.compilers or sorted(installed(home()), key=lambda id_: (id_ != "python-3.14", id_))
    if os.geteuid() != 0:
        print("The bare side changes its root, for which it must be root: sudo make bench", file=sys.stderr)
        return 1
    if missing := [id_ for id_ in compilers if id_ not in installed(home())]:
        print(
            f"Not installed: {', '.join(missing)}. ./manage.py toolchains install {' '.join(missing)}", file=sys.stderr
        )
        return 1
    results: dict[str, Any] = {}
    with service.running(home() / "toolchains") as running:
        results[compilers[0]] = measure(compilers[0], running, options)
        print(table(compilers[0], results[compilers[0]]), flush=True)
        print(LATENCY_HEAD)
        for compiler in compilers[1:]:
            results[compiler] = measure_latency(compiler, running, options.latency_samples)
            print(latency_row(compiler, results[compiler]), flush=True)
    file = home() / "bench" / "latest.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
