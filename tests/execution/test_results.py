"""From a sandbox's result to the words of the public API."""

import base64
import json

import pytest

from execution.results import SHOWN_CHARACTERS, answer_of
from execution.sandbox.job import Outcome, OutputFile, Result


def result(**changes) -> Result:
    fields = {
        "outcome": Outcome.SUCCESS,
        "exit_code": 0,
        "signal": None,
        "stdout": b"",
        "stderr": b"",
        "stdout_truncated": False,
        "stderr_truncated": False,
        "wall_seconds": 0.02484,
        "total_seconds": 0.03296,
        "cpu_seconds": 0.0201,
        "compile_seconds": None,
        "compile_output": b"",
        "memory_bytes": 8192 * 1024,
    }
    return Result(**{**fields, **changes})


def plain(**changes) -> dict:
    return answer_of(result(**changes), extended=False, with_files=False)


def extended(**changes) -> dict:
    return answer_of(result(**changes), extended=True, with_files=False)


def test_it_has_exactly_the_eight_fields_in_their_types():
    assert plain(stdout=b"Hello, World!\n") == {
        "output": "Hello, World!\n",
        "error": "",
        "status": "success",
        "exit_code": 0,
        "signal": None,
        "time": "0.0248",
        "total": "0.0330",
        "memory": "8192",
    }


@pytest.mark.parametrize(("exit_code", "status"), [(0, "success"), (1, "error"), (2, "error"), (124, "error")])
def test_the_status_follows_the_exit_code(exit_code, status):
    assert plain(exit_code=exit_code)["status"] == status


def test_it_shows_999_characters_of_either_output():
    answer = plain(stdout=b"o" * 5000, stderr=b"e" * 1000)
    assert (answer["output"], answer["error"]) == ("o" * 999, "e" * 999)


@pytest.mark.parametrize("character", ["é", "漢", "😀"])  # 2, 3 and 4 bytes
@pytest.mark.parametrize("count", [SHOWN_CHARACTERS - 1, SHOWN_CHARACTERS, SHOWN_CHARACTERS + 1, 5000])
def test_a_character_is_a_code_point_however_many_bytes_it_has(character, count):
    answer = extended(stdout=(character * count).encode())
    assert answer["output"] == character * min(count, SHOWN_CHARACTERS)
    assert answer["truncated"] == {"output": count > SHOWN_CHARACTERS, "error": False}


def test_what_is_not_utf8_becomes_the_replacement_character():
    assert plain(stdout=b"a\xff\xfeb\xc3")["output"] == "a��b�"


def test_nothing_but_invalid_bytes_is_cut_at_999_too():
    answer = extended(stdout=b"\xff" * 5000)
    assert answer["output"] == "�" * 999
    assert answer["truncated"]["output"]


def test_a_character_split_where_the_sandbox_stopped_keeping_is_left_out():
    answer = extended(stdout="ab😀".encode()[:-1], stdout_truncated=True)
    assert answer["output"] == "ab"
    assert answer["truncated"]["output"]


def test_nul_and_terminal_escapes_survive_json():
    data = b"a\0b\x1b[31mred"
    assert json.loads(json.dumps(plain(stdout=data)))["output"].encode() == data


def test_a_failed_compilation_shows_the_compilers_words_and_no_time():
    answer = plain(
        outcome=Outcome.COMPILE_ERROR,
        exit_code=1,
        wall_seconds=0.0,
        total_seconds=0.4512,
        compile_seconds=0.4512,
        compile_output=b"main.cpp:1:1: error",
    )
    assert (answer["output"], answer["error"]) == ("", "main.cpp:1:1: error")
    assert (answer["status"], answer["exit_code"]) == ("error", 1)
    assert (answer["time"], answer["total"]) == ("0.0000", "0.4512")


def test_a_compilers_warnings_are_no_error_of_the_program():
    changes = {"compile_output": b"warning: unused", "compile_seconds": 0.3}
    assert plain(**changes)["error"] == ""
    assert extended(**changes)["compile_output"] == "warning: unused"


def test_extended_adds_what_is_documented_and_nothing_else():
    answer = extended(
        outcome=Outcome.OUTPUT_LIMIT,
        exit_code=137,
        signal=9,
        stdout=b"\xff\x00",
        stderr=b"e",
        compile_seconds=0.25,
        cached=True,
    )
    assert answer.keys() - plain().keys() == {
        "outcome",
        "truncated",
        "output_base64",
        "error_base64",
        "cpu_time",
        "compile_time",
        "compile_output",
        "cached",
        "files",
    }
    assert answer["outcome"] == "output_limit"
    assert base64.b64decode(answer["output_base64"]) == b"\xff\x00"
    assert base64.b64decode(answer["error_base64"]) == b"e"
    assert (answer["cpu_time"], answer["compile_time"]) == ("0.0201", "0.2500")
    assert answer["cached"] is True
    assert answer["files"] == []


def test_the_base64_form_holds_the_whole_of_what_was_kept():
    data = bytes(range(256)) * 4096
    assert base64.b64decode(extended(stdout=data)["output_base64"]) == data


def test_nothing_to_compile_has_no_compile_time():
    assert extended()["compile_time"] is None


def test_files_come_with_their_true_size_for_who_named_them():
    files = (OutputFile("a/plot.png", 3, b"png"), OutputFile("huge.bin", 1 << 40, b""))
    answer = answer_of(result(files=files), extended=False, with_files=True)
    assert answer["files"] == [
        {"path": "a/plot.png", "size": 3, "base64": "cG5n"},
        {"path": "huge.bin", "size": 1 << 40, "base64": ""},
    ]
    assert "outcome" not in answer
