"""What programs see and what is reported of them: the sandbox library against a real supervisor."""

import asyncio
import os
import time

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.errors import SandboxUnavailable, ToolchainMissing
from execution.sandbox.job import MIB, Job, Limits, Outcome, Result
from tests.sandbox.supervisors import RunningSupervisor


@pytest.fixture
def supervisor(every_supervisor: RunningSupervisor) -> RunningSupervisor:
    return every_supervisor


async def python(client: SandboxClient, code: str, **job: object) -> Result:
    return await client.run(Job("python-3.14", {"main.py": code.encode()}, "main.py", **job))  # type: ignore[arg-type]


async def cpp(client: SandboxClient, code: str, **job: object) -> Result:
    return await client.run(Job("g++-15", {"main.cpp": code.encode()}, "main.cpp", **job))  # type: ignore[arg-type]


async def test_a_program_reads_its_input_and_prints(client: SandboxClient) -> None:
    result = await python(client, "print(input()[::-1])", stdin=b"olleh")
    assert (result.outcome, result.stdout, result.stderr, result.exit_code) == (Outcome.SUCCESS, b"hello\n", b"", 0)


async def test_input_larger_than_a_pipe_arrives_whole(client: SandboxClient) -> None:
    result = await python(client, "import sys; print(len(sys.stdin.read()))", stdin=b"x" * 1_000_000)
    assert result.stdout == b"1000000\n"


async def test_output_larger_than_a_pipe_arrives_whole(client: SandboxClient) -> None:
    result = await python(client, "import sys; sys.stdout.write('y' * 1_000_000); sys.stderr.write('z' * 300_000)")
    assert (result.stdout, result.stderr) == (b"y" * 1_000_000, b"z" * 300_000)
    assert (result.stdout_truncated, result.stderr_truncated) == (False, False)


async def test_the_standard_streams_open_by_name_too(client: SandboxClient) -> None:
    code = """
print(open("/dev/stdin").read())
open("/dev/stdout", "w").write("out")
open("/dev/stderr", "w").write("err")"""
    result = await python(client, code, stdin=b"in")
    assert (result.stdout, result.stderr) == (b"in\nout", b"err")


async def test_the_exit_code_is_the_programs(client: SandboxClient) -> None:
    result = await python(client, "import sys; sys.exit(3)")
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.RUNTIME_ERROR, 3, None)


async def test_an_exit_code_past_128_is_not_taken_for_a_signal(client: SandboxClient) -> None:
    result = await python(client, "import os; os._exit(139)")
    assert (result.exit_code, result.signal) == (139, None)


@pytest.mark.parametrize("number", [6, 9, 11, 15])
async def test_a_signal_is_told_apart(client: SandboxClient, number: int) -> None:
    result = await python(client, f"import os; os.kill(os.getpid(), {number})")
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.RUNTIME_ERROR, 128 + number, number)


async def test_a_traceback_names_the_program_and_nothing_of_ours(client: SandboxClient) -> None:
    result = await python(client, "def f():\n    raise ValueError(3)\nf()\n")
    assert result.stderr.decode().splitlines()[1:3] == ['  File "/work/main.py", line 3, in <module>', "    f()"]
    assert result.exit_code == 1


async def test_a_plain_program_and_one_with_arguments_see_the_same_world(client: SandboxClient) -> None:
    code = """
import os, sys, json
print(json.dumps([sys.argv[:1], __name__, __file__, sys.path[0], os.getcwd(), sorted(os.environ.items()), os.getuid(),
    sorted(os.listdir()), sys.flags.hash_randomization, sys.stdin.encoding, open("main.py").read()[:7]]))"""
    hot, cold = await python(client, code), await python(client, code, args=("x",))
    assert hot.stdout == cold.stdout
    assert b"/work/main.py" in hot.stdout


async def test_arguments_and_environment_are_taken_literally(client: SandboxClient) -> None:
    code = "import os, sys; print(sys.argv[1:], os.environ['A'], os.environ['QUOTED'])"
    env = {"A": "x=y\nz", "QUOTED": "'$HOME' `id` \"\\"}
    result = await python(client, code, args=("-rf", "a b", "$(id)", "é"), env=env)
    assert result.stdout.decode() == "['-rf', 'a b', '$(id)', 'é'] x=y\nz '$HOME' `id` \"\\\n"


async def test_several_files_and_folders_lie_beside_the_program(client: SandboxClient) -> None:
    files = {"app.py": b"from pkg.up import up; print(up('hi'), open('data/a.txt').read())"}
    files |= {"pkg/up.py": b"def up(s): return s.upper()", "data/a.txt": b"data"}
    result = await client.run(Job("python-3.14", files, "app.py"))
    assert result.stdout == b"HI data\n"


async def test_a_hot_program_finds_its_modules_too(client: SandboxClient) -> None:
    files = {"main.py": b"import shout; print(shout.up('hi'))", "shout.py": b"def up(s): return s.upper()"}
    result = await client.run(Job("python-3.14", files, "main.py"))
    assert result.stdout == b"HI\n"


async def test_a_file_name_with_a_dash_is_no_option(client: SandboxClient) -> None:
    result = await client.run(Job("python-3.14", {"-c.py": b"print('ran')"}, "-c.py"))
    assert result.stdout == b"ran\n"


async def test_cpp_is_compiled_and_run(client: SandboxClient) -> None:
    result = await cpp(
        client, "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }", stdin=b"20 22"
    )
    assert (result.outcome, result.stdout) == (Outcome.SUCCESS, b"42")
    assert result.compile_seconds is not None
    assert result.total_seconds > result.compile_seconds > result.wall_seconds


async def test_a_compile_error_is_the_compilers_message_and_exit_code(client: SandboxClient) -> None:
    result = await cpp(client, "int main() {\n  return x;\n}\n")
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.COMPILE_ERROR, 1, None)
    assert b"main.cpp:2:10: error:" in result.compile_output
    assert (result.stdout, result.stderr, result.wall_seconds) == (b"", b"", 0.0)


async def test_several_sources_are_compiled_together(client: SandboxClient) -> None:
    files = {"main.c": b"int f(void); int main(void) { return f(); }", "f.c": b"int f(void) { return 7; }"}
    result = await client.run(Job("gcc-15", files, "main.c"))
    assert result.exit_code == 7


async def test_a_segmentation_fault_reads_139_and_11(client: SandboxClient) -> None:
    result = await client.run(Job("gcc-15", {"main.c": b"int main(void) { *(volatile int *)0 = 1; }"}, "main.c"))
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.RUNTIME_ERROR, 139, 11)


async def test_the_wall_clock_limit_keeps_what_was_printed(client: SandboxClient) -> None:
    result = await python(client, "print('so far')\nwhile True: pass", limits=Limits(wall_seconds=0.5))
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.TIME_LIMIT, 124, None)
    assert result.stdout == b"so far\n"
    assert result.wall_seconds > 0.45  # the clock inside starts a moment after the one that ends it
    assert result.cpu_seconds > 0


async def test_a_sleeper_uses_no_cpu_time(client: SandboxClient) -> None:
    result = await python(client, "import time; time.sleep(60)", limits=Limits(wall_seconds=0.5))
    assert result.outcome is Outcome.TIME_LIMIT
    assert result.cpu_seconds < 0.1


async def test_a_compiler_that_takes_too_long_is_stopped_and_says_so(client: SandboxClient) -> None:
    code = (
        "constexpr long f(long n) { long s = 0; for (long i = 0; i < n; ++i) s += i % 7; return s; }\nint main() {}\n"
    )
    code += "\n".join(f"static_assert(f({250_000 - n}) != 1);" for n in range(400))
    files = {"main.cpp": code.encode()}
    result = await client.run(Job("g++-15", files, "main.cpp", limits=Limits(compile_seconds=0.5)))
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.COMPILE_ERROR, 124, None)
    assert b"longer than 0.5 seconds" in result.compile_output


async def test_memory_past_the_limit_ends_the_program(client: SandboxClient) -> None:
    result = await python(client, "x = bytearray(2 << 30)\nprint('never')")
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.MEMORY_LIMIT, 137, 9)
    assert 500 * MIB < result.memory_bytes <= 512 * MIB


async def test_a_lower_memory_limit_holds(client: SandboxClient) -> None:
    code = "x = bytearray(48 << 20)\nprint('fits')"
    small = await python(client, code, limits=Limits(memory_bytes=32 * MIB))
    large = await python(client, code, limits=Limits(memory_bytes=96 * MIB))
    assert (small.outcome, large.outcome, large.stdout) == (Outcome.MEMORY_LIMIT, Outcome.SUCCESS, b"fits\n")
    assert 48 * MIB < large.memory_bytes < 96 * MIB


async def test_a_limit_of_one_run_is_not_the_next_ones(client: SandboxClient) -> None:
    await python(client, "pass", limits=Limits(memory_bytes=16 * MIB, processes=2, cpu_cores=0.5))
    results = await asyncio.gather(*(python(client, "print(len(bytearray(200 << 20)))") for _ in range(6)))
    assert {result.stdout for result in results} == {b"209715200\n"}


async def test_the_memory_reported_is_this_runs_own(client: SandboxClient) -> None:
    await asyncio.gather(*(python(client, "x = bytearray(300 << 20)") for _ in range(4)))
    results = await asyncio.gather(*(python(client, "pass") for _ in range(6)))
    assert all(1 * MIB < result.memory_bytes < 40 * MIB for result in results)


async def test_output_past_the_cap_ends_the_program(client: SandboxClient) -> None:
    result = await python(client, "while True: print('x' * 99)", limits=Limits(output_bytes=10_000))
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.OUTPUT_LIMIT, 137, 9)
    assert result.stdout == (b"x" * 99 + b"\n") * 100
    assert (result.stdout_truncated, result.stderr_truncated) == (True, False)


async def test_output_of_exactly_the_cap_is_no_excess(client: SandboxClient) -> None:
    result = await python(client, "print('x' * 9_999)", limits=Limits(output_bytes=10_000))
    assert (result.outcome, len(result.stdout), result.stdout_truncated) == (Outcome.SUCCESS, 10_000, False)


async def test_files_of_the_work_dir_are_returned(client: SandboxClient) -> None:
    code = """
import os
os.makedirs("out/deep"); open("out/a.txt", "w").write("A"); open("out/deep/b.txt", "w").write("B")
open("c.bin", "wb").write(b"\\xff\\x00"); os.symlink("/etc/passwd", "link.txt"); os.symlink("/etc", "dir")
os.mkfifo("fifo.txt"); os.truncate(os.open("sparse.txt", os.O_CREAT | os.O_RDWR), 1 << 20)
"""
    result = await python(
        client, code, output_files=("**/*.txt", "c.bin", "dir/passwd", "../../etc/passwd", "/etc/passwd")
    )
    assert {file.path: file.size for file in result.files} == {
        "out/a.txt": 1, "out/deep/b.txt": 1, "c.bin": 2, "sparse.txt": 1 << 20
    }  # fmt: skip
    assert next(file.content for file in result.files if file.path == "c.bin") == b"\xff\x00"


async def test_files_are_returned_after_the_time_limit_too(client: SandboxClient) -> None:
    code = "open('a', 'w').write('x')\nwhile True: pass"
    result = await python(client, code, limits=Limits(wall_seconds=0.3), output_files=("a",))
    assert [file.content for file in result.files] == [b"x"]


async def test_nothing_of_one_run_is_there_in_the_next(client: SandboxClient) -> None:
    leave = "import os\nfor d in ('/work', '/tmp', '/var/tmp', '/dev/shm', '/build'): open(d + '/left', 'w').write('x')"
    look = "import os\nprint([os.listdir(d) for d in ('/work', '/tmp', '/var/tmp', '/dev/shm', '/build')])"
    for _ in range(3):
        assert (await python(client, leave)).outcome is Outcome.SUCCESS
        assert (await python(client, look)).stdout == b"[['main.py'], [], [], [], []]\n"


async def test_random_values_and_process_state_never_repeat(client: SandboxClient) -> None:
    code = """import os, random, uuid, ssl, tempfile
print(os.urandom(8).hex(), random.random(), hash('a'), uuid.uuid4(), ssl.RAND_bytes(8).hex(), tempfile.mktemp())"""
    results = await asyncio.gather(*(python(client, code) for _ in range(12)))
    columns = list(zip(*(result.stdout.split() for result in results), strict=True))
    assert len(columns) == 6
    assert all(len(set(column)) == 12 for column in columns)


async def test_many_runs_at_once_are_all_right(client: SandboxClient) -> None:
    results = await asyncio.gather(*(python(client, f"print({n} * 2)") for n in range(40)))
    assert [int(result.stdout) for result in results] == [2 * n for n in range(40)]


async def test_a_compiler_that_is_not_installed_is_said_to_be_missing(client: SandboxClient) -> None:
    with pytest.raises(ToolchainMissing, match="toolchains install cobol-85"):
        await client.run(Job("cobol-85", {"main": b""}, "main"))


async def test_a_client_that_goes_away_takes_its_program_along(
    client: SandboxClient, supervisor: RunningSupervisor
) -> None:
    task = asyncio.create_task(python(client, "import time; time.sleep(25)"))
    while (await client.status())["running"] == 0:
        await asyncio.sleep(0.02)
    task.cancel()
    deadline = time.monotonic() + 5
    while (await client.status())["running"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_without_a_supervisor_the_error_says_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    client = SandboxClient(tmp_path / "none.sock")
    with pytest.raises(SandboxUnavailable, match="cannot be reached"):
        await client.status()


async def test_a_program_is_offered_few_processors_however_many_the_host_has(client: SandboxClient) -> None:
    result = await python(client, "import os; print(len(os.sched_getaffinity(0)))")
    assert int(result.stdout) == min(len(os.sched_getaffinity(0)), 8)


async def test_a_command_of_the_job_runs_in_place_of_the_toolchains(client: SandboxClient) -> None:
    """Nothing is compiled, and the interpreter that waits for a program is not taken."""
    command = ("/bin/sh", "-c", 'echo "$0: $(ls)"', "{entrypoint}")
    for compiler, path in (("g++-15", "main.cpp"), ("python-3.14", "main.py")):
        result = await client.run(Job(compiler, {path: b"no program"}, path, command=command))
        assert (result.stdout.decode(), result.compile_seconds) == (f"{path}: {path}\n", None)
