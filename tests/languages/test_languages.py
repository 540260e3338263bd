"""Every language does what programs do everywhere: the same table for each, against the real toolchain."""

import time

import pytest

from execution.catalogue import COMPILERS
from execution.sandbox.job import MIB, Limits, Outcome, Result
from tests.languages.conftest import Run
from tests.languages.table import BEHAVIOURS, LANGUAGES, Language

# On a new Docker Engine the first test waits until the toolchains' roots have become images.
pytestmark = pytest.mark.timeout(600)
every_language = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES.keys())


def program_for(language: Language, behaviour: str) -> tuple[str, dict[str, bytes]]:
    if reason := language.absent(behaviour):
        pytest.skip(f"{language.id} has no {behaviour}: {reason}")
    return language.files(behaviour)


def succeeded(result: Result) -> bytes:
    """What a program that ran to its end printed."""
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.SUCCESS, 0, None), result
    assert result.stderr == b""
    return result.stdout


def test_every_compiler_has_its_table() -> None:
    assert set(LANGUAGES) == set(COMPILERS)


@every_language
def test_a_table_has_every_behaviour_or_says_why_not(language: Language) -> None:
    shown = {"hello", *language.table["programs"], *(["several"] if "several" in language.table else [])}
    assert shown | set(language.table.get("absent", {})) == set(BEHAVIOURS)


@every_language
async def test_hello(run: Run, language: Language) -> None:
    assert succeeded(await run(language, program_for(language, "hello"))) == b"Hello, World!\n"


@every_language
async def test_stdin_is_echoed(run: Run, language: Language) -> None:
    text = b"line one\n  line two  \n"
    assert succeeded(await run(language, program_for(language, "echo"), stdin=text)) == text


@every_language
async def test_an_error_of_syntax_or_names_is_told_with_file_and_line(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "compile_error"))
    compiled = COMPILERS[language.id].commands.compile is not None  # type: ignore[union-attr]
    assert result.outcome is (Outcome.COMPILE_ERROR if compiled else Outcome.RUNTIME_ERROR), result
    assert result.exit_code == 1 if compiled else result.exit_code not in (0, 124)
    assert result.signal is None
    assert (result.stdout, result.wall_seconds == 0) == (b"", compiled)
    message = (result.compile_output if compiled else result.stderr).decode()
    assert language.table["expected"]["compile_error"] in message
    for ours in ("/usr/local/", "/opt/", "/build", *(["/work"] if compiled else [])):
        assert ours not in message


@every_language
async def test_a_runtime_error_has_its_exit_code_and_names_the_line(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "runtime_error"))
    expected = language.table["expected"]["runtime_error"]
    assert (result.outcome, result.exit_code) == (Outcome.RUNTIME_ERROR, expected["exit_code"]), result
    assert expected["message"] in result.stderr.decode()
    assert result.stdout == b""


@every_language
async def test_the_exit_code_is_the_programs(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "exit"))
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.RUNTIME_ERROR, 3, None), result


@every_language
async def test_a_signal_is_told(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "signal"))
    number = language.table["expected"].get("signal", 9)
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.RUNTIME_ERROR, 128 + number, number), result


@every_language
async def test_unicode_goes_in_and_comes_out(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "unicode"), stdin="żółć 漢字 🎉\n".encode())
    assert succeeded(result).decode() == "żółć 漢字 🎉\nÜnïcödé ✓ 🎉\n"


@every_language
async def test_a_megabyte_of_output_arrives_whole(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "output"))
    assert succeeded(result) == (b"y" * 99 + b"\n") * 10_000
    assert not result.stdout_truncated


@every_language
async def test_recursion_ten_thousand_deep(run: Run, language: Language) -> None:
    expected = language.table["expected"].get("recursion", "50005000")
    assert succeeded(await run(language, program_for(language, "recursion"))).decode() == f"{expected}\n"


@every_language
async def test_four_threads_work_and_are_joined(run: Run, language: Language) -> None:
    assert succeeded(await run(language, program_for(language, "threads"))) == b"5005000\n"


@every_language
async def test_taking_memory_without_end_meets_the_limit(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "memory"))
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.MEMORY_LIMIT, 137, 9), result
    assert 0.9 * 512 * MIB <= result.memory_bytes <= 1.1 * 512 * MIB


@every_language
async def test_the_time_limit_keeps_what_was_printed(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "time"), limits=Limits(wall_seconds=3))
    assert (result.outcome, result.exit_code, result.signal) == (Outcome.TIME_LIMIT, 124, None), result
    assert result.stdout == b"begun\n"


@every_language
async def test_a_program_of_several_files_with_an_entrypoint(run: Run, language: Language) -> None:
    assert succeeded(await run(language, program_for(language, "several"))) == b"HI\n"


@every_language
async def test_a_file_is_written_in_the_work_directory(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "write"), output_files=("out.txt",))
    assert succeeded(result) == b""
    assert [(file.path, file.content) for file in result.files] == [("out.txt", b"written\n")]


@every_language
async def test_arguments_are_taken_literally(run: Run, language: Language) -> None:
    args = ("--help", "-rf", "a b", "$(id)", "+RTS", "é", "")
    result = await run(language, program_for(language, "args"), args=args)
    assert succeeded(result).decode() == "".join(f"{arg}\n" for arg in args)


@every_language
async def test_an_environment_variable_is_taken_literally(run: Run, language: Language) -> None:
    result = await run(language, program_for(language, "environment"), env={"GREETING": "x=y 'z' $HOME é"})
    assert succeeded(result).decode() == "x=y 'z' $HOME é\n"


@every_language
async def test_the_clock_is_right(run: Run, language: Language) -> None:
    before = int(time.time())
    told = int(succeeded(await run(language, program_for(language, "clock"), varies=True)))
    assert before <= told <= time.time()


@every_language
async def test_temporary_files_lie_in_tmp(run: Run, language: Language) -> None:
    assert succeeded(await run(language, program_for(language, "temp"))).lower() == b"true kept\n"


@every_language
async def test_home_is_the_work_directory(run: Run, language: Language) -> None:
    assert succeeded(await run(language, program_for(language, "home"))).rstrip(b"/\n") == b"/work"


@every_language
async def test_a_program_that_is_kept_compiled_runs_as_at_first(run: Run, language: Language) -> None:
    """Nothing but the build goes from the compiler's sandbox into the next: not the work dir, not /tmp."""
    for behaviour in ("echo", "several"):
        program = language.files(behaviour) if not language.absent(behaviour) else language.files("hello")
        first, again = [await run(language, program, stdin=b"line\n", cache="languages") for _ in range(2)]
        assert again.cached is (COMPILERS[language.id].commands.compile is not None)  # type: ignore[union-attr]
        assert (again.outcome, again.stdout, again.stderr) == (first.outcome, first.stdout, first.stderr)
        assert first.outcome is Outcome.SUCCESS
