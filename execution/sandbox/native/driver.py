"""The native driver: bubblewrap for the namespaces, control groups for the limits, a pool for the speed."""

import asyncio
import hashlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from execution.sandbox.builds import Build
from execution.sandbox.errors import SandboxError, SandboxUnavailable
from execution.sandbox.job import Job, Limits, Result
from execution.sandbox.kernel import Kernel
from execution.sandbox.kernels import KernelSpec
from execution.sandbox.live import Live
from execution.sandbox.native import inspection
from execution.sandbox.native.build import build_helper
from execution.sandbox.native.cgroups import Hierarchy, find_hierarchy
from execution.sandbox.native.kernel import launch_kernel
from execution.sandbox.native.launcher import Launcher
from execution.sandbox.native.namespace import bind, enter_mount_namespace, make_devices
from execution.sandbox.native.sandbox import Host, NativeSandbox
from execution.sandbox.native.seccomp import write_filter
from execution.sandbox.native.slots import Slots
from execution.sandbox.pool import Pool
from execution.sandbox.ready_kernels import ReadyKernels
from execution.sandbox.template import KernelTemplate, Template
from execution.sandbox.toolchain import Toolchain

# Ready sandboxes wait with about 15 MB each (a bare interpreter); so many may be added to those that are always ready.
MOST_READY = 32
# Ready kernels wait with 20 to 30 MB each: two of each of so many kinds, and what demand adds.
MOST_KERNEL_KINDS, MOST_READY_KERNELS = 4, 8
# Descriptors that a launched process gets by number; the supervisor's own must lie above them.
RESERVED_DESCRIPTORS = 16
# Mount points that a root file system must have.
MOUNT_POINTS = ("proc", "dev", "tmp", "var/tmp", "work", "build")


def instance_name(home: Path) -> str:
    """What this home's control groups and mount point are called, so that several supervisors share a host."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


class NativeDriver:
    name = "native"

    def __init__(self, *, home: Path, toolchains: Path) -> None:
        self._home = home
        self._toolchains = toolchains
        self._instance = instance_name(home)
        self._hierarchy: Hierarchy
        self._host: Host
        self._pool: Pool[Template, NativeSandbox]
        self._kernels: ReadyKernels
        self._ending: set[asyncio.Task[None]] = set()

    def prepare(self) -> None:
        """The part of `start` that must come before any thread or event loop: namespaces, helpers, leftovers."""
        self._require_host()
        self._hierarchy = find_hierarchy(self._instance)
        self._hierarchy.prepare()
        _reserve_descriptors()
        enter_mount_namespace()
        run = self._home / "run"
        run.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._filter = run / "seccomp.bpf"
        write_filter(self._filter)
        helpers = self._home / "helpers"
        self._init = build_helper("init", helpers)
        self._launcher_executable = build_helper("launcher", helpers)

    async def start(self) -> None:
        await self._sweep()
        # Unprivileged users must reach the roots, wherever RUNCODE_HOME is: they are bound to a public place.
        self._public = Path("/run/runcode") / self._instance
        self._toolchains.mkdir(mode=0o755, parents=True, exist_ok=True)
        bind(self._toolchains, self._public)
        devices = self._public.with_name(f"{self._instance}-dev")
        make_devices(devices)
        launcher = Launcher(executable=self._launcher_executable, filter_file=self._filter, init=self._init)
        self._host = Host(launcher, Slots(self._hierarchy), devices)
        self._pool = Pool(self._make, most_ready=MOST_READY)
        self._kernels = ReadyKernels(self._make_kernel, most_kinds=MOST_KERNEL_KINDS, most_ready=MOST_READY_KERNELS)
        try:
            await self._prove()
        except BaseException:
            await self.stop()
            raise

    def warm(self, toolchains: Iterable[Toolchain]) -> None:
        work_bytes = Limits().work_bytes
        self._pool.keep(
            Template(self._visible(toolchain.root), work_bytes, toolchain if toolchain.hot else None)
            for toolchain in toolchains
        )

    async def run(
        self,
        job: Job,
        toolchain: Toolchain,
        *,
        live: Live | None = None,
        build: Build | None = None,
        keep: Callable[[Build], None] | None = None,
    ) -> Result:
        template = Template.of(toolchain, job)
        template = Template(self._visible(template.root), template.work_bytes, template.hot)
        sandbox = await self._pool.take(template)
        try:
            return await sandbox.run(job, toolchain, live=live, build=build, keep=keep)
        finally:
            self._end(sandbox, template)

    async def kernel(self, spec: KernelSpec, toolchain: Toolchain) -> Kernel:
        template = Template(self._visible(toolchain.root), Limits().work_bytes)
        return await self._kernels.take(KernelTemplate(spec, template, toolchain))

    def ready(self) -> int:
        return self._pool.ready + self._kernels.ready

    async def stop(self) -> None:
        await self._pool.close()
        await self._kernels.close()
        await asyncio.gather(*self._ending)
        await self._host.slots.close()
        await self._host.launcher.close()
        self._hierarchy.close()

    # --- sandboxes ---

    async def _make(self, template: Template) -> NativeSandbox:
        return await NativeSandbox.launch(template, self._host)

    async def _make_kernel(self, kind: KernelTemplate) -> Kernel:
        return await launch_kernel(kind, self._host)

    def _end(self, sandbox: NativeSandbox, template: Template) -> None:
        """Takes the sandbox down and has its successor made, both after the answer has left."""

        async def end() -> None:
            await sandbox.destroy()
            self._pool.done(template)

        task = asyncio.get_running_loop().create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _visible(self, root: Path) -> Path:
        return self._public / root.relative_to(self._toolchains)

    # --- the host ---

    def _require_host(self) -> None:
        if os.geteuid() != 0:
            raise SandboxUnavailable("The supervisor sets control groups and users: start it as root (sudo make run).")
        if shutil.which("bwrap") is None:
            raise SandboxUnavailable("bubblewrap is missing. Install it: apt-get install bubblewrap")
        version = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
        if tuple(map(int, version.split(".")[:2])) < (0, 8):
            raise SandboxUnavailable(f"bubblewrap {version} is too old; version 0.8 (Debian 12) or newer is needed.")

    async def _sweep(self) -> None:
        """Kills and removes what an earlier supervisor of this home left, for instance after kill -9."""
        leftovers = list(self._hierarchy.leftovers())
        for attempt in itertools.count():
            leftovers = [cgroup for cgroup in leftovers if not (cgroup.kill() and cgroup.remove())]
            if not leftovers:
                return
            if attempt == 200:
                raise SandboxUnavailable("Processes of an earlier supervisor cannot be killed; restart the host.")
            await asyncio.sleep(0.02)

    async def _prove(self) -> None:
        """Starts one sandbox and looks at it from outside, limits included."""
        root = self._toolchains / "probe"
        for folder in MOUNT_POINTS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        template = Template(self._visible(root), Limits().work_bytes)
        try:
            sandbox = await self._make(template)
        except SandboxError as error:
            raise SandboxUnavailable(
                f"A trial sandbox did not start: {error} Unprivileged user namespaces may be switched off: "
                "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000"
            ) from None
        try:
            (init,) = inspection.children(sandbox.pid)
            if faults := inspection.inspect(init).faults():
                raise SandboxUnavailable(f"A trial sandbox is not closed: {'; '.join(faults)}.")
        finally:
            await sandbox.destroy()


def _reserve_descriptors() -> None:
    """Fills the low descriptors."""
    while os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC) < RESERVED_DESCRIPTORS:
        continue
