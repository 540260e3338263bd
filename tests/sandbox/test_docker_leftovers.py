"""Containers are gone when they are done with: also when their supervisor was killed, and nobody else's."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.docker.container import LABEL, container_config
from execution.sandbox.docker.seccomp import profile
from execution.sandbox.job import Job, Limits
from execution.sandbox.live import Live
from execution.sandbox.native import inspection
from execution.sandbox.native.driver import instance_name
from tests.sandbox import supervisors
from tests.sandbox.supervisors import RunningSupervisor


@pytest.fixture
def api(docker_engine: str) -> Iterator[Any]:
    api = docker.APIClient(base_url=docker_engine)
    yield api
    api.close()


def containers_of(home: Path, api: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.containers(all=True, filters={"label": f"{LABEL}={instance_name(home)}"})
    return found


def process_of(container: dict[str, Any], api: Any) -> int:
    """The host's process id of a container's process 1; 0 where it does not run."""
    try:
        return int(api.inspect_container(container["Id"])["State"]["Pid"])
    except docker.errors.NotFound:
        return 0


def asleep(pid: int) -> bool:
    """Whether a child of the process sleeps by the clock."""
    return any("nanosleep" in Path(f"/proc/{child}/wchan").read_text() for child in inspection.children(pid))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + supervisors.PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_supervisor_that_stops_leaves_no_container(docker_engine: str, api: Any) -> None:
    with supervisors.running(engine=docker_engine) as supervisor:
        until(lambda: len(containers_of(supervisor.home, api)) > 0)
    assert containers_of(supervisor.home, api) == []


def test_a_supervisor_that_is_killed_takes_its_containers_along(docker_engine: str, api: Any) -> None:
    with supervisors.running(engine=docker_engine) as supervisor:
        until(lambda: any(found["State"] == "running" for found in containers_of(supervisor.home, api)))
        supervisor.kill()
        # One that was made and not started yet has nobody to end it: the next supervisor does.
        until(lambda: all(found["State"] == "created" for found in containers_of(supervisor.home, api)))


def test_what_is_left_in_spite_of_that_is_swept_at_the_next_start_and_nothing_else(
    docker_engine: str, api: Any, docker_supervisor: RunningSupervisor
) -> None:
    until(lambda: len(containers_of(docker_supervisor.home, api)) > 0)
    image = containers_of(docker_supervisor.home, api)[0]["Image"]
    with supervisors.running(engine=docker_engine) as first:
        first.kill()
        config = container_config(
            image=image, instance=instance_name(first.home), work_bytes=1 << 20, seccomp=profile(), cpus=""
        )
        left = api.create_container_from_config(config)["Id"]
        others = {found["Id"] for found in containers_of(docker_supervisor.home, api)}
        again = supervisors.start(first.home, engine=docker_engine)
        try:
            assert left not in {found["Id"] for found in containers_of(first.home, api)}
            assert others & {found["Id"] for found in containers_of(docker_supervisor.home, api)}
        finally:
            again.process.terminate()
            again.process.wait(supervisors.PATIENCE)


async def test_seen_from_the_host_a_container_is_closed(
    docker_supervisor: RunningSupervisor, api: Any, docker_client: SandboxClient
) -> None:
    program = Job("python-3.14", {"main.py": b"import time; print('up'); time.sleep(20)"}, "main.py")
    up = asyncio.Event()
    live = Live(on_output=lambda _stream, _data: up.set())
    running = asyncio.create_task(docker_client.run(program, live))
    await up.wait()
    pids = [process_of(found, api) for found in containers_of(docker_supervisor.home, api)]
    # Inside it there is more than init, or init and an interpreter that waits: this one sleeps.
    seen = inspection.inspect(next(pid for pid in pids if pid and asleep(pid)))
    running.cancel()
    assert set(seen.uids) == set(seen.gids) == {1000}
    assert set(seen.capabilities.values()) == {0}
    assert (seen.seccomp, seen.no_new_privileges) == (2, True)
    # This Engine has no user namespaces; those of other kinds are the container's own.
    assert seen.shared_namespaces == ("user",)
    assert set(seen.interfaces) == {"lo"}
    assert "ro" in seen.mounts["/"]
    assert {"nosuid", "nodev", f"size={Limits().work_bytes // 1024}k"} <= seen.mounts["/work"]
