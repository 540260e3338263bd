"""Batches on the whole service: live lines, a client that leaves, and how a thousand tests compare with bare runs."""

import json
import os
import signal
import statistics
import time

import httpx
import pytest

from bench.__main__ import bare
from execution.catalogue import manifests_dir
from tests.batches.conftest import BATCH
from tests.server import Service, wait_until

SLEEPS = {"compiler": "python-3.14", "code": "import time; time.sleep(float(input())); print(1)"}
NDJSON = {"Accept": "application/x-ndjson"}

# Reads its input only for an argument: the bare side has none to give.
HELLO = """#include <iostream>
int main(int argc, char **) { long n = 0; if (argc > 1) std::cin >> n; std::cout << "Hello, World!" << std::endl; }
"""


def test_a_test_is_told_while_others_still_run(service: Service) -> None:
    body = {**SLEEPS, "tests": [{"input": "0"}, {"input": "25"}]}
    began = time.monotonic()
    with service.client() as client, client.stream("POST", BATCH, json=body, headers=NDJSON) as response:
        lines = response.iter_lines()
        first, second = json.loads(next(lines)), json.loads(next(lines))
        assert (first["type"], second["type"], second["position"]) == ("batch", "test", 0)
        assert time.monotonic() - began < 20
        batch = client.get(f"/api/batches/{first['id']}/").json()
        assert batch["status"] == "running"
    # Leaving the block closed the connection.
    with service.client() as client:
        wait_until(
            lambda: client.get(f"/api/batches/{first['id']}/").json()["status"] == "cancelled",
            lambda: "the batch went on without its client",
            patience=10,
        )


@pytest.mark.timeout(300)
def test_an_asynchronous_batch_outlives_its_server_and_is_billed_once(service: Service) -> None:
    tests = [{"input": "0.2", "expected": "1"}] * 60
    with service.client() as client:
        before = service.usage()["runs_used"]
        batch = client.post(BATCH, json={**SLEEPS, "tests": tests, "async": True}).raise_for_status().json()["id"]
        path = f"/api/batches/{batch}/?results=false"
        wait_until(lambda: client.get(path).json()["done"] >= 8, service.log)
        for _ in range(2):
            os.kill(service.web, signal.SIGKILL)
            service.wait_until_ready()
    with service.client() as client:
        wait_until(lambda: client.get(path).json()["status"] == "finished", service.log, 120)
        answer = client.get(f"/api/batches/{batch}/").json()
        assert (answer["done"], answer["accepted"], answer["score"]) == (60, 60, 1.0)
        assert [test["position"] for test in answer["results"]] == list(range(60))
    wait_until(lambda: service.usage()["runs_used"] - before >= 60, service.log)
    assert service.usage()["runs_used"] - before == 60


@pytest.mark.timeout(600)
def test_a_thousand_tests_are_twenty_times_faster_than_a_thousand_bare_compilations(service: Service) -> None:
    """The toolchain's own g++ and the program, started by a bare process on the same files, against a whole call."""
    tests = [{"input": str(number), "expected": "Hello, World!"} for number in range(1000)]
    with bare(manifests_dir(service.home) / "g++-15.json", HELLO) as side:
        samples = [side.ask(do="once")["seconds"] for _ in range(5)]
    with service.client() as client:
        began = time.perf_counter()
        response = client.post(
            BATCH, json={"compiler": "g++-15", "code": HELLO, "args": ["-"], "tests": tests}, timeout=httpx.Timeout(400)
        )
        seconds = time.perf_counter() - began
    answer = response.raise_for_status().json()
    assert (answer["accepted"], answer["score"]) == (1000, 1.0)
    ratio = 1000 * statistics.median(samples) / seconds
    assert ratio >= 20, f"{seconds:.1f} s for all; {statistics.median(samples):.3f} s for each bare one"
