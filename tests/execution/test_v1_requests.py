"""What a body of POST /v1/execute may ask for, and how it is told what is wrong with it."""

import pytest

from config.errors import InvalidRequest
from execution.catalogue import COMPILERS
from execution.program_fields import CODE_BYTES, ENV, ENV_BYTES, FILES, FILES_BYTES, INPUT_BYTES
from execution.requests import RunRequest
from execution.v1_requests import RUNTIMES, run_request_of

FILE = {"main.py": "print(1)"}


def parse(**fields) -> RunRequest:
    """Of Python's `print(1)` in `code`, unless `files` are given."""
    program = {} if "files" in fields else {"code": "print(1)"}
    return run_request_of({"runtime": "python", **program, **fields})


def errors(**fields) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refusal:
        parse(**fields)
    assert refusal.value.message
    return {error.field: error.error for error in refusal.value.errors}


def test_two_fields_are_enough():
    assert parse() == RunRequest(
        compiler=COMPILERS["python-3.14"], files={"main.py": b"print(1)"}, entrypoint="main.py", time_limit=30.0
    )


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_is_a_compiler_of_the_catalogue(runtime):
    compiler = COMPILERS[RUNTIMES[runtime]]
    request = parse(runtime=runtime)
    assert request.compiler is compiler
    assert request.entrypoint == compiler.file_name


def test_the_seven_runtimes_are_those_of_the_protocol():
    assert " ".join(RUNTIMES) == "python node bun go rust ruby php"


def test_every_field_is_taken_literally():
    request = parse(
        files={"app/run.py": "é\0", "data.txt": ""},
        entrypoint="app/run.py",
        stdin="a\0b\r\n",
        timeout=1500,
        env={"LD_PRELOAD": "/x.so", "A": "=\n'"},
    )
    assert request.files == {"app/run.py": "é\0".encode(), "data.txt": b""}
    assert (request.entrypoint, request.input, request.time_limit) == ("app/run.py", b"a\0b\r\n", 1.5)
    assert request.env == {"LD_PRELOAD": "/x.so", "A": "=\n'"}


def test_null_stands_for_an_optional_field_left_out():
    assert parse(**dict.fromkeys(["entrypoint", "stdin", "timeout", "env"])) == parse()
    assert run_request_of({"runtime": "python", "code": "print(1)", "files": None}) == parse()
    assert parse(files=FILE, entrypoint="main.py", code=None) == parse()


def test_fields_that_are_not_known_are_passed_over():
    assert parse(compiler="gcc-15", input="x", args=["x"]) == parse()


def test_an_empty_program_is_a_program():
    assert parse(code="").files == {"main.py": b""}


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("code", {"code": None}),
        ("code", {"code": None, "entrypoint": "main.py"}),
        ("files", {"code": "print(1)", "files": FILE, "entrypoint": "main.py"}),
        ("files", {"code": "", "files": {}}),
        ("entrypoint", {"files": FILE}),
        ("entrypoint", {"files": FILE, "entrypoint": None}),
        ("entrypoint", {"files": FILE, "entrypoint": "run.py"}),
        ("entrypoint", {"files": {}, "entrypoint": "main.py"}),
        ("files.a", {"files": {"a": "1", "a/b": "2"}, "entrypoint": "a/b"}),
    ],
)
def test_a_program_is_either_code_or_files_with_an_entrypoint_among_them(field, fields):
    assert errors(**fields).keys() == {field}


@pytest.mark.parametrize("runtime", [None, 3, ["python"], "", "Python", "python-3.14", "deno"])
def test_a_runtime_is_one_of_the_seven_to_the_letter(runtime):
    assert errors(runtime=runtime).keys() == {"runtime"}


def test_an_unknown_runtime_is_told_the_known_ones():
    error = errors(runtime="cobol")["runtime"]
    assert "no runtime" in error
    assert all(runtime in error for runtime in RUNTIMES)


def test_a_runtime_is_required():
    with pytest.raises(InvalidRequest) as refusal:
        run_request_of({"code": "print(1)"})
    assert [error.field for error in refusal.value.errors] == ["runtime"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", 5),
        ("code", ["print(1)"]),
        ("code", "\ud83d"),
        ("files", []),
        ("files", "main.py"),
        ("entrypoint", 1),
        ("entrypoint", "/main.py"),
        ("stdin", 5),
        ("timeout", "5"),
        ("timeout", True),
        ("timeout", 0),
        ("timeout", -1),
        ("env", ["A=1"]),
    ],
)
def test_a_value_of_another_type_or_range_is_refused_by_its_field(field, value):
    assert errors(**{field: value}).keys() == {field}


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("env.A", {"env": {"A": 1}}),
        ("env.A", {"env": {"A": "b\0"}}),
        ("env.A=B", {"env": {"A=B": "c"}}),
        ("files.a.txt", {"files": {**FILE, "a.txt": 1}, "entrypoint": "main.py"}),
        ("files.../x", {"files": {**FILE, "../x": ""}, "entrypoint": "main.py"}),
        ("files./etc/x", {"files": {**FILE, "/etc/x": ""}, "entrypoint": "main.py"}),
    ],
)
def test_an_error_inside_a_field_is_named_by_its_path(field, fields):
    assert errors(**fields).keys() == {field}


def test_a_timeout_is_told_in_milliseconds_and_has_no_upper_end():
    assert "milliseconds" in errors(timeout="1s")["timeout"]
    assert parse(timeout=0.5).time_limit == 0.0005
    assert parse(timeout=10**400).time_limit == 86_400


@pytest.mark.parametrize(
    ("field", "most", "fields"),
    [
        ("code", CODE_BYTES, lambda size: {"code": "x" * size}),
        ("stdin", INPUT_BYTES, lambda size: {"stdin": "x" * size}),
        ("files", FILES_BYTES, lambda size: {"files": {"a": "x" * (size // 2), "b": "x" * (size - size // 2)}}),
        ("files", FILES, lambda count: {"files": {"a": "", **{f"f{n}": "" for n in range(count - 1)}}}),
        ("env", ENV_BYTES, lambda size: {"env": {"A": "x" * (size - 1)}}),
        ("env", ENV, lambda count: {"env": {f"N{number}": "" for number in range(count)}}),
    ],
)
def test_a_field_is_taken_up_to_its_cap_and_no_further(field, most, fields):
    entrypoint = {"entrypoint": "a"} if field == "files" else {}
    parse(**entrypoint, **fields(most))
    assert errors(**entrypoint, **fields(most + 1)).keys() == {field}
