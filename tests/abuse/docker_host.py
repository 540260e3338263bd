"""The Docker driver's side of what a run could leave: containers, their control groups and mounts, files and objects of
the user that all containers have."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import docker

from execution.sandbox.client import SandboxClient
from execution.sandbox.docker.container import INNER_USER, LABEL
from execution.sandbox.job import MIB
from execution.sandbox.native.driver import instance_name
from tests.abuse.hosts import (
    DESCRIPTORS_OF_A_SANDBOX,
    PATIENCE,
    SPARE_DESCRIPTORS,
    SPARE_MEMORY,
    Standing,
    core_dumps,
    files_of,
    ipc_objects_of,
)
from tests.sandbox import engine, supervisors
from tests.sandbox.supervisors import RunningSupervisor


class DockerHost:
    driver = "docker"

    def __init__(self, supervisor: RunningSupervisor, api: Any) -> None:
        self.supervisor = supervisor
        self._api = api

    async def settled(self, client: SandboxClient) -> None:
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            status = await client.status()
            processes = await asyncio.to_thread(self._processes)
            # Each has its init, and at most a waiting interpreter.
            closed = all(1 <= count <= 2 for count in processes.values())
            if status["running"] == 0 and len(processes) == status["ready"] and closed:
                return
            assert time.monotonic() < deadline, (status, processes)
            await asyncio.sleep(0.1)

    def standing(self) -> Standing:
        return Standing(
            ready=len(self._containers()),
            mounts=frozenset(),  # those of containers come and go with them
            descriptors=self.supervisor.descriptors(),
            memory=supervisors.memory_of(self.supervisor.pid),
        )

    def left(self, before: Standing) -> list[str]:
        now = self.standing()
        found = [*files_of(INNER_USER), *ipc_objects_of(INNER_USER), *core_dumps()]
        spare = SPARE_DESCRIPTORS + DESCRIPTORS_OF_A_SANDBOX * max(0, now.ready - before.ready)
        if now.descriptors > before.descriptors + spare:
            found.append(f"{now.descriptors - before.descriptors} descriptors of the supervisor")
        if now.memory > before.memory + SPARE_MEMORY:
            found.append(f"{(now.memory - before.memory) // MIB} MB of the supervisor's memory")
        return found

    def _containers(self) -> list[str]:
        label = f"{LABEL}={instance_name(self.supervisor.home)}"
        return [container["Id"] for container in self._api.containers(all=True, filters={"label": label})]

    def _processes(self) -> dict[str, int]:
        """How many live in each container."""
        found = {}
        for container in self._containers():
            try:
                found[container] = len(self._api.top(container)["Processes"] or ())
            except docker.errors.APIError:
                found[container] = 0  # it is being made, or removed
        return found


@contextmanager
def docker_host() -> Iterator[DockerHost]:
    with (
        engine.running() as address,
        closing(docker.APIClient(base_url=address)) as api,
        supervisors.running(engine=address) as supervisor,
    ):
        yield DockerHost(supervisor, api)
