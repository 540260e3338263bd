"""Which driver a host's sandboxes have (RUNCODE_SANDBOX_DRIVER)."""

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from execution.sandbox.builds import Build
from execution.sandbox.docker.driver import DockerDriver
from execution.sandbox.driver import Driver
from execution.sandbox.errors import SandboxUnavailable
from execution.sandbox.job import Job, Result
from execution.sandbox.kernel import Kernel
from execution.sandbox.kernels import KernelSpec
from execution.sandbox.live import Live
from execution.sandbox.native.driver import NativeDriver
from execution.sandbox.toolchain import Toolchain

log = logging.getLogger(__name__)

DRIVERS = ("auto", "native", "docker")


def driver_named(name: str, *, home: Path, toolchains: Path) -> "NativeDriver | DockerDriver | AutomaticDriver":
    """A driver of DRIVERS, not prepared yet."""
    native = NativeDriver(home=home, toolchains=toolchains)
    docker = DockerDriver(home=home, runtime=os.environ.get("RUNCODE_DOCKER_RUNTIME") or None)
    if name not in DRIVERS:
        raise SandboxUnavailable(f"RUNCODE_SANDBOX_DRIVER is {name}; it may be {', '.join(DRIVERS)}.")
    if name == "auto":
        return AutomaticDriver(native, docker)
    return native if name == "native" else docker


class AutomaticDriver:
    """The native driver where this host can enforce every limit, else Docker; else a refusal with both remedies."""

    def __init__(self, native: NativeDriver, docker: DockerDriver) -> None:
        self._native = native
        self._docker = docker
        self._refusal: SandboxUnavailable | None = None
        self._chosen: Driver = native

    @property
    def name(self) -> str:
        return self._chosen.name

    def prepare(self) -> None:
        try:
            self._native.prepare()
        except SandboxUnavailable as refusal:
            self._refusal = refusal

    async def start(self) -> None:
        if self._refusal is None:
            try:
                await self._native.start()
                return
            except SandboxUnavailable as refusal:
                self._refusal = refusal
        self._chosen = self._docker
        try:
            self._docker.prepare()
            await self._docker.start()
        except SandboxUnavailable as refusal:
            raise SandboxUnavailable(
                f"Without Docker: {self._refusal}\nWith Docker: {refusal}\nEither remedy will do."
            ) from None
        log.warning("the native driver cannot be used, so Docker is: %s", self._refusal)

    def warm(self, toolchains: Iterable[Toolchain]) -> None:
        self._chosen.warm(toolchains)

    async def run(
        self,
        job: Job,
        toolchain: Toolchain,
        *,
        live: Live | None = None,
        build: Build | None = None,
        keep: Callable[[Build], None] | None = None,
    ) -> Result:
        return await self._chosen.run(job, toolchain, live=live, build=build, keep=keep)

    async def kernel(self, spec: KernelSpec, toolchain: Toolchain) -> Kernel:
        return await self._chosen.kernel(spec, toolchain)

    def ready(self) -> int:
        return self._chosen.ready()

    async def stop(self) -> None:
        await self._chosen.stop()
