"""The kernels: programs that stay and run one cell after the other, each in a sandbox of its own.

Their files lie in a folder each and go into /build of the sandbox, so that they are of this very version and no
toolchain has to be installed anew for them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from execution.sandbox.builds import Build, BuildFile


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """`compiler` is the toolchain whose root it runs on, `command` its argv. It speaks the protocol of
    `execution.sandbox.channel` on descriptor 3. `folders` have its files: one of its own, where nothing is said."""

    id: str
    compiler: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()

    @property
    def files(self) -> Build:
        return Build(tuple(file for folder in self.folders or (self.id,) for file in _files_of(folder)), b"")

    def __hash__(self) -> int:
        return hash(self.id)


def _files_of(folder: str) -> Iterator[BuildFile]:
    top = Path(__file__).parent / folder
    for path in sorted(top.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield BuildFile(str(path.relative_to(top)), "file", path.read_bytes())


KERNELS = {
    spec.id: spec
    for spec in (
        KernelSpec(
            "python",
            "python-3.14",
            ("/usr/bin/python3.14", "-B", "/build/kernel.py"),
            {
                "MPLBACKEND": "module://matplotlib_inline.backend_inline",
                "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
                "IPYTHONDIR": "/tmp/ipython",  # noqa: S108 (the work dir is the customer's)
            },
            folders=("python", "python_shared"),
        ),
        KernelSpec(
            "python_debugger",
            "python-3.14",
            ("/usr/bin/python3.14", "-B", "-u", "/build/kernel.py"),
            folders=("python_debugger", "python_shared"),
        ),
        KernelSpec(
            "nodejs_debugger",
            "node",
            ("/usr/local/bin/node", "--no-warnings", "--experimental-vm-modules", "/build/kernel.mjs"),
            folders=("nodejs_debugger", "node_shared"),
        ),
        KernelSpec(
            "typescript",
            "node",
            ("/usr/local/bin/node", "--no-warnings", "/build/kernel.mjs"),
            folders=("typescript", "node_shared"),
        ),
        # The consoles of the ReplitClient protocol.
        KernelSpec(
            "python_repl",
            "python-3.14",
            ("/usr/bin/python3.14", "-B", "/build/kernel.py"),
            folders=("python_repl", "python_shared"),
        ),
        KernelSpec("ruby", "ruby-4.0", ("/usr/local/bin/ruby", "--disable=syntax_suggest", "/build/kernel.rb")),
        KernelSpec("php", "php-8.5", ("/usr/bin/php8.5", "/build/main.php")),
        KernelSpec(
            "nodejs",
            "node",
            ("/usr/local/bin/node", "--no-warnings", "/build/kernel.mjs", "javascript"),
            folders=("typescript", "node_shared"),
        ),
    )
}
