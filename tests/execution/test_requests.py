"""What a body may ask for, and how it is told what is wrong with it."""

import json

import pytest

from config.errors import InvalidRequest
from execution.catalogue import COMPILERS
from execution.program_fields import ARGS, ARGS_BYTES, CODE_BYTES, ENV, ENV_BYTES, FILES, FILES_BYTES, INPUT_BYTES
from execution.requests import OUTPUT_FILES, RunRequest


def parse(**fields) -> RunRequest:
    return RunRequest.from_data({"compiler": "python-3.14", "code": "print(1)", **fields})


def errors(**fields) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refusal:
        parse(**fields)
    assert refusal.value.message
    return {error.field: error.error for error in refusal.value.errors}


def test_two_fields_are_enough():
    request = parse()
    assert request.compiler is COMPILERS["python-3.14"]
    assert (request.files, request.entrypoint) == ({"main.py": b"print(1)"}, "main.py")
    assert (request.input, request.args, request.env, request.output_files) == (b"", (), {}, ())
    assert (request.time_limit, request.memory_limit, request.extended) == (None, None, False)


def test_every_field_is_taken_literally():
    request = parse(
        input="a\0b\r\n",
        files={"lib/a.txt": "é\0"},
        args=["", "-x", "a b", "$HOME", "'\"\n"],
        env={"LD_PRELOAD": "/x.so", "A": "=\n'"},
        time_limit=2,
        memory_limit=16,
        output_files=["*.png"],
        extended=True,
    )
    assert request.input == b"a\0b\r\n"
    assert request.files["lib/a.txt"] == "é\0".encode()
    assert request.args == ("", "-x", "a b", "$HOME", "'\"\n")
    assert request.env == {"LD_PRELOAD": "/x.so", "A": "=\n'"}
    assert (request.time_limit, request.memory_limit) == (2.0, 16)
    assert (request.output_files, request.extended) == (("*.png",), True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"code": ""},
        {"entrypoint": "app/run.py", "files": {"data.txt": "é\0"}, "input": "a\0b"},
        {"code": "", "files": {"main.py": "x" * (CODE_BYTES + 1)}, "entrypoint": "main.py"},
        {"code": "1", "files": {"run.py": "2"}, "entrypoint": "run.py", "extended": True},
        {"args": ["", "-x"], "env": {"A": ""}, "time_limit": 0.5, "memory_limit": 16, "output_files": ["*"]},
    ],
)
def test_a_request_is_made_again_from_its_data(fields):
    request = parse(**fields)
    assert RunRequest.from_data(json.loads(json.dumps(request.to_data()))) == request


def test_both_required_fields_are_missed():
    with pytest.raises(InvalidRequest) as refusal:
        RunRequest.from_data({})
    assert {error.field for error in refusal.value.errors} == {"compiler", "code"}


def test_an_empty_program_is_a_program():
    assert parse(code="").files == {"main.py": b""}


def test_null_stands_for_an_optional_field_left_out():
    optional = ("input extra_params files entrypoint args env time_limit memory_limit output_files extended").split()
    assert parse(**dict.fromkeys(optional)) == parse()


@pytest.mark.parametrize("field", ["compiler", "code"])
def test_null_is_no_value_for_a_required_field(field):
    assert field in errors(**{field: None})


def test_fields_that_are_not_known_are_passed_over():
    assert parse(language="python", stdin="x") == parse()


def test_extra_params_may_be_any_object():
    assert parse(extra_params={"a": [1, {"b": None}]}) == parse()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("compiler", 3),
        ("compiler", ["python-3.14"]),
        ("code", 5),
        ("code", ["print(1)"]),
        ("code", True),
        ("input", 5),
        ("input", {}),
        ("extra_params", "x"),
        ("extra_params", []),
        ("files", []),
        ("files", "main.py"),
        ("entrypoint", 1),
        ("args", "-x"),
        ("args", {"0": "-x"}),
        ("env", ["A=1"]),
        ("time_limit", "5"),
        ("time_limit", True),
        ("time_limit", 0),
        ("time_limit", -1),
        ("memory_limit", 64.5),
        ("memory_limit", "64"),
        ("memory_limit", True),
        ("memory_limit", 15),
        ("memory_limit", 513),
        ("memory_limit", 10**400),
        ("output_files", "*.png"),
        ("extended", 1),
        ("extended", "true"),
    ],
)
def test_a_value_of_another_type_or_range_is_refused_by_its_field(field, value):
    assert errors(**{field: value}).keys() == {field}


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("args.1", {"args": ["a", 1]}),
        ("args.0", {"args": ["a\0"]}),
        ("env.A", {"env": {"A": 1}}),
        ("env.A", {"env": {"A": "b\0"}}),
        ("env.A=B", {"env": {"A=B": "c"}}),
        ("env.", {"env": {"": "c"}}),
        ("files.a.txt", {"files": {"a.txt": 1}}),
        ("files.../x", {"files": {"../x": ""}}),
        ("output_files.0", {"output_files": ["../*"]}),
        ("entrypoint", {"entrypoint": "/main.py"}),
    ],
)
def test_an_error_inside_a_field_is_named_by_its_path(field, fields):
    assert errors(**fields).keys() == {field}


def test_all_errors_are_told_at_once():
    assert errors(code=1, input=2, args=[3, "ok", 4]).keys() == {"code", "input", "args.0", "args.2"}


def test_an_unknown_compiler_is_told_the_known_ones():
    error = errors(compiler="python")["compiler"]
    assert all(id_ in error for id_ in COMPILERS)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("compiler", {"compiler": "\ud800"}),
        ("code", {"code": "print('\ud83d')"}),
        ("input", {"input": "\udc00"}),
        ("args.0", {"args": ["\ud800"]}),
        ("entrypoint", {"entrypoint": "\ud800.py"}),
        ("files.a", {"files": {"a": "\ud800"}}),
    ],
)
def test_half_a_surrogate_pair_is_refused(field, fields):
    assert errors(**fields).keys() == {field}


def test_a_name_with_half_a_surrogate_pair_is_told_in_valid_unicode():
    (field,) = errors(env={"\ud800": ""})
    assert field == "env.\\ud800"


@pytest.mark.parametrize(
    ("field", "most", "fields"),
    [
        ("code", CODE_BYTES, lambda size: {"code": "é" * (size // 2) + "e" * (size % 2)}),
        ("input", INPUT_BYTES, lambda size: {"input": "x" * size}),
        ("files", FILES_BYTES, lambda size: {"files": {"a": "x" * (size // 2), "b": "x" * (size - size // 2)}}),
        ("args", ARGS_BYTES, lambda size: {"args": ["x" * 10, "é" * ((size - 10) // 2) + "x" * (size % 2)]}),
        ("env", ENV_BYTES, lambda size: {"env": {"A": "x" * (size - 1)}}),
        ("args", ARGS, lambda count: {"args": ["x"] * count}),
        ("files", FILES, lambda count: {"files": {f"f{number}": "" for number in range(count)}}),
        ("env", ENV, lambda count: {"env": {f"N{number}": "" for number in range(count)}}),
        ("output_files", OUTPUT_FILES, lambda count: {"output_files": ["x"] * count}),
    ],
)
def test_a_field_is_taken_up_to_its_cap_and_no_further(field, most, fields):
    parse(**fields(most))
    assert errors(**fields(most + 1)).keys() == {field}


def test_a_time_limit_of_any_size_is_a_number_of_seconds():
    assert parse(time_limit=10**400).time_limit == parse(time_limit=1e300).time_limit == 86_400


def test_code_stands_under_the_name_of_its_entrypoint():
    assert parse(entrypoint="app/run.py").files == {"app/run.py": b"print(1)"}


def test_a_file_can_be_the_entrypoint_with_code_beside_it():
    request = parse(files={"app/run.py": "import main"}, entrypoint="app/run.py")
    assert request.entrypoint == "app/run.py"
    assert request.files == {"main.py": b"print(1)", "app/run.py": b"import main"}


def test_empty_code_leaves_the_program_to_files():
    assert parse(code="", files={"main.py": "1"}).files == {"main.py": b"1"}
    assert parse(code="", files={"run.py": "1"}, entrypoint="run.py").files == {"run.py": b"1"}


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("files.main.py", {"files": {"main.py": "1"}}),
        ("files.main.py", {"files": {"main.py": "1", "run.py": "2"}, "entrypoint": "run.py"}),
        ("files.a", {"files": {"a": "1", "a/b": "2"}}),
        ("files.main.py", {"files": {"main.py/x": "1"}}),
        ("files.a", {"files": {"a": "1"}, "entrypoint": "a/main.py"}),
    ],
)
def test_two_files_that_cannot_stand_together_are_refused(field, fields):
    assert errors(**fields).keys() == {field}
