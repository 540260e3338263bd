"""The kernels: programs that stay and run one cell after the other, each in a sandbox of its own.

Their files lie in a folder each and go into /build of the sandbox, so that they are of this very version and no
toolchain has to be installed anew for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from execution.sandbox.builds import Build, BuildFile


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """`compiler` is the toolchain whose root it runs on, `command` its argv. It speaks the protocol of
    `execution.sandbox.channel` on descriptor 3. `folder` has its files, where another kernel has the same."""

    id: str
    compiler: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""

    @property
    def files(self) -> Build:
        folder = Path(__file__).parent / (self.folder or self.id)
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return Build(tuple(BuildFile(str(path.relative_to(folder)), "file", path.read_bytes()) for path in paths), b"")

    def __hash__(self) -> int:
        return hash(self.id)


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
        ),
        KernelSpec("python_debugger", "python-3.14", ("/usr/bin/python3.14", "-B", "-u", "/build/kernel.py")),
        KernelSpec(
            "nodejs_debugger",
            "node",
            ("/usr/local/bin/node", "--no-warnings", "--experimental-vm-modules", "/build/kernel.mjs"),
        ),
        KernelSpec("typescript", "node", ("/usr/local/bin/node", "--no-warnings", "/build/kernel.mjs")),
        # The consoles of the ReplitClient protocol.
        KernelSpec("python_repl", "python-3.14", ("/usr/bin/python3.14", "-B", "/build/kernel.py")),
        KernelSpec("ruby", "ruby-4.0", ("/usr/local/bin/ruby", "--disable=syntax_suggest", "/build/kernel.rb")),
        KernelSpec("php", "php-8.5", ("/usr/bin/php8.5", "/build/main.php")),
        KernelSpec(
            "nodejs",
            "node",
            ("/usr/local/bin/node", "--no-warnings", "/build/kernel.mjs", "javascript"),
            folder="typescript",
        ),
    )
}
