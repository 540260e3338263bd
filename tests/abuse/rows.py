"""The table of hostile programs: what each is given, and how it must end. To add a row, put the program into programs/
(a file, or a folder of files with one named as the language wants it) and its verdict here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from execution.catalogue import COMPILERS
from execution.sandbox.job import MIB, Job, Limits, Outcome
from tests.abuse.verdicts import (
    Check,
    at_most_64_tasks,
    at_once,
    every_attempt_refused,
    every_byte,
    first_bytes_kept,
    links_not_followed,
    memory_near_the_limit,
    memory_within_the_limit,
    messages_capped,
    names_are_neutral,
    no_cpu_time,
    not_started,
    only_files,
    prints,
    says,
    sparse_files_capped,
    started_with,
    two_cores,
)

PROGRAMS = Path(__file__).parent / "programs"
LANGUAGES = {
    ".py": "python-3.14",
    ".c": "gcc-15",
    ".cpp": "g++-15",
    ".java": "openjdk-25",
    ".hs": "haskell-9.12",
    ".rs": "rust-1.93",
    ".go": "go-1.26",
    ".ts": "typescript-deno",
}

SUCCESS = frozenset({Outcome.SUCCESS})
FAILS = frozenset({Outcome.RUNTIME_ERROR})
TIME = frozenset({Outcome.TIME_LIMIT})
MEMORY = frozenset({Outcome.MEMORY_LIMIT})
OUTPUT = frozenset({Outcome.OUTPUT_LIMIT})
NOT_COMPILED = frozenset({Outcome.COMPILE_ERROR})


@dataclass(frozen=True)
class Row:
    """One hostile program. `number` is that of the table in docs/security.md; `check` looks at the result where its
    outcome is not all there is to see."""

    number: int
    program: str
    outcomes: frozenset[Outcome] = SUCCESS
    check: Check | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    output_files: tuple[str, ...] = ()
    compile_seconds: float = 15.0

    def __str__(self) -> str:
        return "-".join((f"{self.number:02}", self.program, *(arg[:12] for arg in self.args[:1])))

    @property
    def compiler(self) -> str:
        return LANGUAGES[Path(self.program).suffix]

    @property
    def limits(self) -> Limits:
        """Short for programs that may wait for it, ample for others: on a busy host they take their time."""
        wall_seconds = 2.0 if Outcome.TIME_LIMIT in self.outcomes else 10.0
        return Limits(wall_seconds=wall_seconds, compile_seconds=self.compile_seconds)

    def job(self) -> Job:
        name, path = COMPILERS[self.compiler].file_name, PROGRAMS / self.program
        found = [file for file in path.rglob("*") if file.is_file()]
        files = {str(file.relative_to(path)): file.read_bytes() for file in found} or {name: path.read_bytes()}
        return Job(
            self.compiler,
            files,
            name,
            stdin=self.stdin,
            args=self.args,
            env=self.env,
            limits=self.limits,
            output_files=self.output_files,
        )


ALL_FILES = ("**", "../../../etc/passwd", "/etc/passwd", "out/passwd", "path/passwd")
ARGUMENTS = ("", " ", "-c", "--help", "a b", "\"'`$(id)", "new\nline", "=", "*", "\\", "é😀", "a=b", ";id", "\x01\x7f")
ENVIRONMENT = {
    "T_QUOTES": "\"'`$(id)",
    "T_LINES": "one\ntwo",
    "T_EQUALS": "a=b=c",
    "T_EMPTY": "",
    "T_é": "😀",
    "LD_PRELOAD": "/work/none.so",
    "LD_LIBRARY_PATH": "/work",
    "T_SHELL": "() { :;}; id",
}

ROWS = [
    Row(1, "fork_bomb.c", TIME | SUCCESS, at_most_64_tasks),
    Row(2, "daemon.py", check=at_once(b"parent ends\n")),
    Row(3, "thread_bomb.c", SUCCESS | TIME, at_most_64_tasks),
    Row(4, "memory_bomb.c", MEMORY, memory_near_the_limit),
    Row(5, "memory_group.c", MEMORY, memory_near_the_limit),
    Row(6, "memory_files.py", MEMORY | SUCCESS, memory_within_the_limit),
    Row(7, "descriptors.py", check=every_attempt_refused),
    Row(8, "fill_disk.py", check=every_attempt_refused),
    Row(9, "fill_shm.py", check=every_attempt_refused),
    Row(10, "inode_bomb.py", MEMORY | SUCCESS | TIME, memory_within_the_limit),
    Row(11, "sparse_files.py", check=sparse_files_capped, output_files=("*",)),
    Row(12, "endless_stdout.c", OUTPUT, first_bytes_kept),
    Row(12, "endless_stderr.c", OUTPUT, first_bytes_kept),
    Row(12, "endless_both.py", OUTPUT, first_bytes_kept),
    Row(12, "single_bytes.c", OUTPUT | TIME),
    Row(13, "every_byte.py", check=every_byte),
    Row(14, "closed_streams.py", TIME),
    Row(15, "child_holds_pipe.py", check=at_once(b"parent ends\n")),
    Row(16, "ignores_stdin.py", stdin=b"x" * (10 * MIB), check=prints(b"never read\n")),
    Row(16, "closes_stdin.py", stdin=b"x" * (10 * MIB), check=prints(b"closed\n")),
    Row(17, "sleeps.py", TIME, no_cpu_time),
    Row(18, "burns_cpu.c", TIME, two_cores),
    Row(19, "ignores_signals.py", TIME, prints(b"deaf\n")),
    Row(20, "kills_all.py", check=prints(b"survivor\n")),
    Row(20, "stops_itself.py", TIME, prints(b"stopping\n")),
    Row(21, "looks_around.py", check=every_attempt_refused),
    Row(22, "reaches_into_processes.py", check=every_attempt_refused),
    Row(23, "reaches_the_network.py", check=every_attempt_refused),
    Row(24, "reaches_sockets.py", check=every_attempt_refused),
    Row(25, "makes_namespaces.py", check=every_attempt_refused),
    Row(26, "uses_keyrings.py", check=every_attempt_refused),
    Row(27, "uses_kernel_interfaces.py", check=every_attempt_refused),
    Row(28, "gains_privileges.py", check=every_attempt_refused),
    Row(29, "other_architectures.c", check=every_attempt_refused),
    Row(30, "links.py", check=links_not_followed, output_files=ALL_FILES),
    Row(31, "not_files.py", check=only_files("plain", "hard", "locked"), output_files=("**",)),
    Row(34, "includes_devices.c", NOT_COMPILED, compile_seconds=4),
    Row(34, "includes_host_files.c", check=every_attempt_refused),
    Row(34, "assembles_host_files.c", NOT_COMPILED),
    Row(34, "includes_host_files.rs", NOT_COMPILED, says("No such file", "Permission denied")),
    Row(35, "includes_itself.c", NOT_COMPILED),
    Row(35, "warns_without_end.c", NOT_COMPILED, messages_capped),
    Row(35, "template_recursion.cpp", NOT_COMPILED, compile_seconds=4),
    Row(35, "constexpr_loop.cpp", NOT_COMPILED, compile_seconds=4),
    Row(35, "macro_recursion.rs", NOT_COMPILED, compile_seconds=4),
    Row(35, "const_loop.rs", NOT_COMPILED, says("longer than 4 seconds"), compile_seconds=4),
    Row(35, "type_families.hs", NOT_COMPILED, compile_seconds=4),
    Row(35, "type_recursion.ts", NOT_COMPILED, compile_seconds=4),
    Row(35, "constants.go", NOT_COMPILED, compile_seconds=4),
    Row(36, "huge_array.c", NOT_COMPILED | MEMORY | FAILS),
    Row(36, "huge_static.rs", NOT_COMPILED | MEMORY | FAILS),
    Row(36, "huge_array.go", NOT_COMPILED | MEMORY | FAILS),
    Row(37, "template_haskell.hs", check=every_attempt_refused),
    Row(37, "compile_loop.hs", NOT_COMPILED, says("longer than 4 seconds"), compile_seconds=4),
    Row(37, "procedural_macro.rs", NOT_COMPILED | FAILS),
    Row(37, "annotation_processor.java", check=every_attempt_refused),
    Row(37, "links_commands.go", NOT_COMPILED),
    Row(37, "imports_by_address.ts", NOT_COMPILED),
    Row(38, "takes_literally.py", check=started_with(ARGUMENTS, ENVIRONMENT), args=ARGUMENTS, env=ENVIRONMENT),
    Row(38, "takes_literally.py", FAILS, not_started, args=("x" * 200_000,)),
    Row(39, "dumps_core.py", FAILS),
    Row(40, "changes_the_host.py", check=every_attempt_refused),
    Row(40, "crashes.c", check=prints(b"500\n")),
    Row(41, "forges_a_result.py", FAILS),
    Row(45, "leaves_everything.py", check=prints(b"left\n")),
    Row(47, "socket_families.py", check=every_attempt_refused),
    Row(49, "open_descriptors.py", check=prints(b"[0, 1, 2] /work\n")),
    Row(49, "open_descriptors.py", check=prints(b"[0, 1, 2] /work\n"), args=("cold",)),
    Row(51, "resolves_names.py", check=every_attempt_refused),
    Row(52, "output_names.py", check=names_are_neutral, output_files=("*", "**", "../*", "/etc/*", "-rf")),
    Row(54, "attacks_init.c", check=every_attempt_refused),
    Row(55, "watches_neighbours.py", check=every_attempt_refused),
    Row(56, "keeps_the_disk_busy.py", check=every_attempt_refused),
    Row(57, "pages_into_pipes.py", check=every_attempt_refused),
    *(
        Row(58, "kernel_memory.c", MEMORY | TIME | SUCCESS, memory_within_the_limit, args=(kind,))
        for kind in ("pipes", "sockets", "signals", "timers", "watches", "locks", "attributes", "queues")
    ),
    *(
        Row(58, "kernel_memory.c", MEMORY | TIME | SUCCESS, memory_within_the_limit, args=(kind,))
        for kind in ("mappings", "page tables", "folders", "missing names")
    ),
]

# Programs that other tests run.
APART = {"finds_nothing.py", "reaches_the_host.py"}
# Rows of the table that are no single program, or are no sandbox's alone: where their tests are.
ELSEWHERE = {
    32: "tests/sandbox/test_job.py",
    42: "tests/browser/test_widget_runs.py",
    43: "tests/callbacks/test_guard.py",
    44: "tests/abuse/test_contexts.py",
    46: "tests/abuse/test_randomness.py",
    48: "tests/abuse/test_toolchains_untouched.py",
    50: "tests/abuse/test_randomness.py",
    53: "tests/sandbox/test_docker_engine.py",
    59: "tests/abuse/test_locks.py",
}
