"""POST /api/run-code-sync/: programs, and what comes back of them."""

import base64

import pytest

EIGHT = {"output", "error", "status", "exit_code", "signal", "time", "total", "memory"}


async def test_it_runs_a_program_with_its_input(api):
    result = await api.run("print(input()[::-1])", input="olleh")
    assert result.keys() == EIGHT
    assert (result["output"], result["error"]) == ("hello\n", "")
    assert (result["status"], result["exit_code"], result["signal"]) == ("success", 0, None)


async def test_numbers_are_strings_of_the_documented_form(api):
    result = await api.run()
    for field in ("time", "total"):
        whole, _, decimals = result[field].partition(".")
        assert whole.isdigit()
        assert len(decimals) == 4
    assert result["memory"].isdigit()
    assert float(result["total"]) >= float(result["time"]) > 0


async def test_it_compiles_and_runs_cpp(api):
    result = await api.run("#include <iostream>\nint main() { std::cout << 6 * 7; }", "g++-15")
    assert (result["output"], result["status"]) == ("42", "success")
    assert float(result["total"]) > float(result["time"])


async def test_a_compile_error_has_the_compilers_message_and_exit_code(api):
    result = await api.run("int main() { return nothing; }", "g++-15")
    assert "nothing" in result["error"]
    assert (result["output"], result["status"], result["exit_code"], result["signal"]) == ("", "error", 1, None)
    assert result["time"] == "0.0000"
    assert float(result["total"]) > 0


async def test_a_segmentation_fault_is_139_and_11(api):
    result = await api.run("int main(void) { *(volatile int *)0 = 1; }", "gcc-15")
    assert (result["status"], result["exit_code"], result["signal"]) == ("error", 139, 11)


async def test_an_endless_loop_is_124_with_what_it_printed(api):
    result = await api.run("print('before')\nwhile True: pass", time_limit=0.5)
    assert (result["output"], result["status"]) == ("before\n", "error")
    assert (result["exit_code"], result["signal"]) == (124, None)
    assert 0.4 < float(result["time"]) < 20


async def test_a_loop_without_a_limit_of_its_own_ends_after_30_seconds(api):
    result = await api.run("import time\nprint('before')\nwhile True: time.sleep(1)")
    assert (result["output"], result["exit_code"], result["signal"]) == ("before\n", 124, None)
    assert 29 < float(result["time"]) < 60


async def test_a_time_limit_never_raises_the_plans(api):
    extended = await api.run("print(1)", time_limit=3600, extended=True)
    assert extended["outcome"] == "success"


async def test_too_much_memory_is_137_and_9(api):
    result = await api.run("x = bytearray(2 * 1024 ** 3)\nfor i in range(0, len(x), 4096): x[i] = 1")
    assert (result["status"], result["exit_code"], result["signal"]) == ("error", 137, 9)
    assert int(result["memory"]) > 400 * 1024


async def test_a_memory_limit_lowers_the_plans(api):
    code = "x = bytearray(100 * 1024 ** 2)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('fits')"
    assert (await api.run(code))["output"] == "fits\n"
    limited = await api.run(code, memory_limit=64, extended=True)
    assert (limited["exit_code"], limited["signal"], limited["outcome"]) == (137, 9, "memory_limit")


async def test_an_exit_code_is_as_the_program_chose(api):
    result = await api.run("import sys\nprint('oops', file=sys.stderr)\nexit(3)")
    assert (result["exit_code"], result["signal"], result["status"]) == (3, None, "error")
    assert result["error"] == "oops\n"


async def test_output_is_cut_at_999_characters(api):
    result = await api.run("import sys\nprint('ö' * 5000)\nprint('é' * 5000, file=sys.stderr)")
    assert (result["output"], result["error"]) == ("ö" * 999, "é" * 999)
    assert result["status"] == "success"


async def test_unicode_survives_in_all_directions(api):
    result = await api.run("s = input()\nprint(s, len(s), '😀')", input="né漢😀")
    assert result["output"] == "né漢😀 4 😀\n"


async def test_bytes_that_are_not_utf8_become_replacement_characters(api):
    result = await api.run(r"import sys; sys.stdout.buffer.write(b'a\xff\xf0\x9f\x98b\0c')", extended=True)
    assert result["output"] == "a\ufffd\ufffdb\0c"
    assert base64.b64decode(result["output_base64"]) == b"a\xff\xf0\x9f\x98b\0c"


async def test_nul_survives_in_code_and_input(api):
    result = await api.run("import sys\nprint(repr(sys.stdin.read()), '\t')  # é", input="a\0b\r\n")
    assert result["output"] == "'a\\x00b\\r\\n' \t\n"


async def test_what_a_program_prints_changes_none_of_its_measurements(api):
    result = await api.run("""print('{"status": "error", "exit_code": 1, "signal": 9}'); print("time limit")""")
    assert (result["status"], result["exit_code"], result["signal"]) == ("success", 0, None)


async def test_files_stand_beside_the_program(api):
    files = {"shout.py": "def up(s): return s.upper()", "data/text.txt": "né"}
    result = await api.run("import shout\nprint(shout.up(open('data/text.txt').read()))", files=files)
    assert result["output"] == "NÉ\n"


async def test_an_entrypoint_names_the_main_file(api):
    code = "import os, sys\nprint(os.path.basename(sys.argv[0]))"
    assert (await api.run(code, entrypoint="app/run.py"))["output"] == "run.py\n"
    beside = await api.run("NAME = 'beside'", files={"run.py": "import main; print(main.NAME)"}, entrypoint="run.py")
    assert beside["output"] == "beside\n"


async def test_several_sources_are_compiled_together(api):
    files = {"twice.cpp": '#include "twice.h"\nint twice(int n) { return 2 * n; }', "twice.h": "int twice(int);"}
    result = await api.run(
        '#include "twice.h"\n#include <cstdio>\nint main() { printf("%d", twice(21)); }', "g++-15", files=files
    )
    assert result["output"] == "42"


async def test_arguments_and_environment_are_taken_literally(api):
    args = ["", "-x", "a b", "$HOME", "'\"\n", "é"]
    env = {"GREETING": "a=b\n'\"é", "LD_PRELOAD": "/nowhere.so"}
    code = "import os, sys\nprint([sys.argv[1:], os.environ['GREETING'], os.environ['LD_PRELOAD']])"
    result = await api.run(code, args=args, env=env)
    assert result["output"] == f"{[args, env['GREETING'], env['LD_PRELOAD']]}\n"


async def test_output_files_are_returned_to_who_names_them(api):
    code = "import os\nos.mkdir('out')\nopen('out/a.bin', 'wb').write(b'\\xff\\0')\nopen('b.txt', 'w').write('b')"
    named = await api.run(code, output_files=["out/*.bin", "nothing.txt"])
    assert named["files"] == [{"path": "out/a.bin", "size": 2, "base64": "/wA="}]
    assert named.keys() == EIGHT | {"files"}
    assert (await api.run(code)).keys() == EIGHT


async def test_an_output_file_that_is_a_link_to_the_host_is_not_followed(api):
    result = await api.run("import os\nos.symlink('/etc/passwd', 'x')", output_files=["x", "x*"])
    assert result["files"] == []


async def test_extended_adds_its_fields(api):
    result = await api.run("int main(void) { int unused; return 0; }", "gcc-15", extended=True)
    assert result.keys() == EIGHT | {
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
    assert (result["outcome"], result["truncated"]) == ("success", {"output": False, "error": False})
    assert float(result["compile_time"]) > 0


async def test_endless_output_is_ended_and_its_beginning_kept(api):
    result = await api.run("while True: print('x' * 1000)", extended=True)
    assert result["outcome"] == "output_limit"
    assert result["status"] == "error"
    assert result["output"] == ("x" * 1000)[:999]
    assert result["truncated"]["output"]
    assert len(base64.b64decode(result["output_base64"])) == 1024 * 1024


async def test_one_run_finds_nothing_of_another(api):
    await api.run("open('left.txt', 'w').write('secret'); open('/tmp/left.txt', 'w').write('secret')")
    result = await api.run("import os\nprint(os.listdir('/tmp'), os.path.exists('left.txt'))")
    assert result["output"] == "[] False\n"


@pytest.mark.parametrize("path", ["/api/run-code-sync", "/api/run-code-sync/"])
async def test_it_answers_with_and_without_the_final_slash(api, path):
    response = await api.request("POST", path, json={"compiler": "python-3.14", "code": "print(1)"})
    assert (response.status_code, response.json()["output"]) == (200, "1\n")


async def test_extra_params_and_unknown_fields_are_passed_over(api):
    result = await api.run("print(1)", extra_params={"id": 7}, language="c")
    assert result.keys() == EIGHT


async def test_a_body_without_content_type_is_json(api):
    response = await api.request(
        "POST", "/api/run-code-sync/", content=b'{"compiler": "python-3.14", "code": "print(1)"}'
    )
    assert response.json()["output"] == "1\n"
