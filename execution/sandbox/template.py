"""What a sandbox made ahead is good for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from execution.sandbox.job import Job
from execution.sandbox.kernels import KernelSpec
from execution.sandbox.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Template:
    """A sandbox for any job of toolchains on `root`, or, where `hot`, for the plain jobs of one interpreter, which has
    been started already and waits for its program."""

    root: Path
    work_bytes: int
    hot: Toolchain | None = None

    @staticmethod
    def of(toolchain: Toolchain, job: Job) -> "Template":
        # A hot interpreter has its arguments, environment and file name already: jobs that bring their own start cold.
        plain = not job.args and not job.env and job.entrypoint == toolchain.file_name
        return Template(toolchain.root, job.limits.work_bytes, toolchain if toolchain.hot and plain else None)

    def __hash__(self) -> int:
        return hash((self.root, self.work_bytes, self.hot and self.hot.id))


@dataclass(frozen=True, slots=True)
class KernelTemplate:
    """A kernel that can be made ahead, in a sandbox of `template`."""

    spec: KernelSpec
    template: Template
    toolchain: Toolchain

    @property
    def env(self) -> dict[str, str]:
        return {**self.toolchain.env, **self.spec.env}

    def __hash__(self) -> int:
        return hash((self.spec, self.template))


def environment(toolchain_env: Mapping[str, str], job_env: Mapping[str, str]) -> dict[str, str]:
    """The program's whole environment: nothing of the host's; the job's variables last, taken literally."""
    ours = {"HOME": "/work", "TMPDIR": "/tmp", "USER": "runner", "LANG": "C.UTF-8"}  # noqa: S108 (the sandbox's own)
    return {**ours, **toolchain_env, **job_env}
