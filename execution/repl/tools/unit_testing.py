"""Unit tests: a customer's suite against a customer's program, and the verdict about it.

A harness of ours runs both in one sandbox and leaves its report in a file whose name only its standard input told it.
What the program prints is nobody's verdict; one that ends before the harness does leaves none.
"""

import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from accounts.caller import Caller
from execution.repl.languages import LANGUAGES, entry_of
from execution.repl.tools.refusals import ToolRefused
from execution.requests import RunRequest
from execution.runs import run_code
from execution.sandbox.job import Outcome, Result

PROGRAMS: Final = Path(__file__).with_name("programs")
HARNESSES: Final = {
    "python": ("unit_tests.py",),
    "python3": ("unit_tests.py",),
    "ruby": ("unit_tests.rb",),
    "nodejs": ("unit_tests.mjs", "suite.cjs"),
    "java": ("RunUnitTests.java",),
}
_SUITES: Final[dict[str, tuple[str, ...]]] = {
    "python": ("UnitTests.py",),
    "python3": ("UnitTests.py",),
    "ruby": ("UnitTests.rb",),
    # Which of the two it is, it says itself.
    "nodejs": ("UnitTests.js", "UnitTests.mjs"),
}


async def unit_tests(
    caller: Caller,
    language: str,
    files: Mapping[str, bytes],
    suite_code: str,
    *,
    connection: str | None = None,
    surface: str | None = None,
) -> dict[str, Any]:
    """Runs the suite: `{passed, failures: [{name, message, stack}]}`, with `error` where it did not come to its end or
    did not compile. A run, and billed as one; `connection` and `surface` are those of `run_code`.

    Raises ToolRefused for a language without unit tests and a program without files, and what `run_code` raises.
    """
    if language not in HARNESSES:
        raise ToolRefused(f"There are no unit tests for {language}.")
    try:
        entry = entry_of(files)
    except ValueError as error:
        raise ToolRefused(f"There is nothing to test: {error}.") from None
    report = f"{secrets.token_hex(16)}.json"
    request = _request(language, files, suite_code, entry, report)
    answer = await run_code(caller=caller, request=request, surface=surface, connection=connection)
    return verdict(answer.result, report)


def _request(language: str, files: Mapping[str, bytes], suite: str, entry: str, report: str) -> RunRequest:
    """The harness' input is the report's name and then what it has to know, a line each."""
    sources = {name: (PROGRAMS / name).read_bytes() for name in HARNESSES[language]}
    if language == "java":
        class_name, suite = _java_suite(suite)
        suites: tuple[str, ...] = (f"{class_name}.java",)
        names = {path.rpartition("/")[2] for path in (*files, *suites) if path.endswith(".java")}
        words = [class_name, *sorted(names)]
    else:
        sources = {f".runcode/{name}": source for name, source in sources.items()}
        suites = _SUITES[language]
        words = [entry.removesuffix(".py").replace("/", ".") if language.startswith("python") else entry]
    return RunRequest(
        compiler=LANGUAGES[language].compiler,
        files={**files, **dict.fromkeys(suites, suite.encode("utf-8", "replace")), **sources},
        entrypoint=next(iter(sources)),
        input="\n".join((report, *words)).encode(),
        output_files=(report,),
    )


_JUNIT: Final = "import org.junit.*; import static org.junit.Assert.*; "
_JAVA_IMPORT: Final = re.compile(r"^[ \t]*import\s[^;]*;", re.MULTILINE)
_JAVA_CLASS: Final = re.compile(
    r"\A(?:\s|//[^\n]*\n|/\*.*?\*/|import[^;]*;|@\w+(?:\([^)]*\))?|public\b|final\b)*class\s+(\w+)", re.DOTALL
)


def _java_suite(code: str) -> tuple[str, str]:
    """The class' name and its file. Bare methods become those of a class UnitTests, on the lines that they stand on."""
    if whole := _JAVA_CLASS.match(code):
        return whole[1], _JUNIT + code
    imports = " ".join(match.strip() for match in _JAVA_IMPORT.findall(code))
    body = _JAVA_IMPORT.sub("", code)
    return "UnitTests", f"{_JUNIT}import java.util.*; {imports} public class UnitTests {{ {body}\n}}\n"


def verdict(result: Result, report: str) -> dict[str, Any]:
    """What a run of a harness says, by its report alone."""
    if result.outcome is Outcome.COMPILE_ERROR:
        return _broken(result.compile_output.decode(errors="replace").strip())
    content = next((file.content for file in result.files if file.path == report), None)
    if content is None:
        return _broken(_why_without_report(result))
    try:
        told = json.loads(content)
        failures = [{field: str(entry[field]) for field in ("name", "message", "stack")} for entry in told["failures"]]
        ran, error = int(told["ran"]), str(told["error"])
    except (ValueError, KeyError, TypeError):
        return _broken("The report of the tests cannot be read: it was cut off.")
    if error or not ran:
        return _broken(error or "The suite has no tests.")
    return {"passed": not failures, "failures": failures}


def _broken(error: str) -> dict[str, Any]:
    return {"passed": False, "failures": [], "error": error}


def _why_without_report(result: Result) -> str:
    words = {
        Outcome.TIME_LIMIT: "The tests took too long, and were stopped.",
        Outcome.MEMORY_LIMIT: "The tests needed more memory than the plan gives.",
        Outcome.OUTPUT_LIMIT: "The tests printed more than is kept, and were stopped.",
    }
    ended = f"The program ended before its tests did, with exit code {result.exit_code}."
    last = result.stderr.decode(errors="replace").strip()[-2000:]
    return words.get(result.outcome) or (f"{ended}\n{last}" if last else ended)
