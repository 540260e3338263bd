"""What the soak runs: programs of every installed language whose answer is known, and every tenth a hostile one."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from execution.catalogue import Manifest
from execution.sandbox.job import Job, Limits, Outcome, Result
from tests.abuse.rows import ROWS, Row
from tests.languages.table import LANGUAGES, Language

HOSTILE_SHARE = 10
# Of ordinary programs one in so many is compiled anew; the others are found compiled from their second time on.
COMPILED_SHARE = 8
LINES = "żółć 漢字 🎉\n".encode()
# Programs of the table of languages, their input, and what they print.
ANSWERS: dict[str, tuple[bytes, bytes]] = {
    "hello": (b"", b"Hello, World!\n"),
    "echo": (LINES, LINES),
    "unicode": (LINES, LINES + "Ünïcödé ✓ 🎉\n".encode()),
    "several": (b"", b"HI\n"),
    "write": (b"", b""),
    "output": (b"", (b"y" * 99 + b"\n") * 10_000),
    "exit": (b"", b""),
}
PATIENT = Limits(wall_seconds=30.0, compile_seconds=60.0)


@dataclass(frozen=True)
class Case:
    """One run: `verify` raises AssertionError where the answer is not right."""

    name: str
    job: Job
    verify: Callable[[Result], None]
    row: Row | None = None


def cases(here: Mapping[str, Manifest], *, seed: int) -> Iterator[Case]:
    """Programs for the compilers that are installed, without end, in an order that `seed` decides; every hostile
    program and every language comes early."""
    dice = random.Random(seed)
    hostile = _turns([_hostile(row) for row in ROWS if row.compiler in here], dice)
    ordinary = _turns([case for id_ in sorted(here) for case in _of(LANGUAGES[id_], here[id_])], dice)
    for number in itertools.count():
        if number % HOSTILE_SHARE == HOSTILE_SHARE - 1:
            yield next(hostile)
        else:
            case = next(ordinary)
            scope = "" if dice.randrange(COMPILED_SHARE) == 0 else "soak"
            yield replace(case, job=replace(case.job, cache=scope))


def _turns(found: list[Case], dice: random.Random) -> Iterator[Case]:
    while True:
        dice.shuffle(found)
        yield from found


def _hostile(row: Row) -> Case:
    def verify(result: Result) -> None:
        assert result.outcome in row.outcomes, result
        if row.check is not None:
            row.check(result)

    return Case(f"row {row}", row.job(), verify, row)


def _of(language: Language, manifest: Manifest) -> Iterator[Case]:
    libraries = {name for name, _ in manifest.libraries}
    for behaviour, (stdin, expected) in ANSWERS.items():
        if not language.absent(behaviour):
            entrypoint, files = language.files(behaviour)
            job = Job(language.id, files, entrypoint, stdin=stdin, limits=PATIENT)
            yield Case(f"{language.id} {behaviour}", job, _answers(expected, exit_code=3 if behaviour == "exit" else 0))
    for program in language.written():
        if not libraries.issuperset(program.get("libraries", ())):
            continue
        entrypoint, files = language.written_files(program)
        job = Job(language.id, files, entrypoint, stdin=program.get("input", "").encode(), limits=PATIENT)
        name = f"{language.id} {program['name']}"
        yield Case(name, job, _answers(program["output"].encode()) if "output" in program else _is_not_compiled)


def _is_not_compiled(result: Result) -> None:
    assert result.outcome is Outcome.COMPILE_ERROR, result


def _answers(expected: bytes, *, exit_code: int = 0) -> Callable[[Result], None]:
    def verify(result: Result) -> None:
        outcome = Outcome.RUNTIME_ERROR if exit_code else Outcome.SUCCESS
        assert (result.outcome, result.exit_code, result.stdout) == (outcome, exit_code, expected), result

    return verify
