"""Unit tests in the real sandbox: each language's framework, and suites that would like to have passed."""

from typing import Any

import pytest

from billing.metering import Metering
from billing.usage import ausage_of
from execution.repl.languages import LANGUAGES
from execution.repl.tools import ToolRefused, unit_tests
from execution.repl.tools.unit_testing import HARNESSES
from execution.tool_runs import is_installed
from tests.cast import Cast
from tests.pages.test_docs_examples import fences
from tests.repl.test_lint import caller_of

pytestmark = pytest.mark.usefixtures("sandbox")

MAIN = {"python": "main.py", "ruby": "main.rb", "nodejs": "index.js", "java": "Main.java"}
# A program with a function `add` that is right and `sub` that is wrong.
PROGRAM = {
    "python": "def add(a, b):\n    return a + b\n\ndef sub(a, b):\n    return a + b\n\nprint('loud')\n",
    "ruby": "def add(a, b)\n  a + b\nend\n\ndef sub(a, b)\n  a + b\nend\nputs 'loud'\n",
    "nodejs": "function add(a, b) { return a + b }\nconst sub = (a, b) => a + b;\nconsole.log('loud');\n",
    "java": (
        "public class Main {\n    static int add(int a, int b) { return a + b; }\n"
        "    static int sub(int a, int b) { return a + b; }\n"
        '    static int boom() { throw new RuntimeException("no"); }\n}\n'
    ),
}
BARE = {
    "python": (
        "def test_add(self):\n    self.assertEqual(add(1, 2), 3)\n\n"
        "def test_sub(self):\n    self.assertEqual(sub(3, 2), 1)\n"
    ),
    "ruby": "def test_add\n  assert_equal 3, add(1, 2)\nend\ndef test_sub\n  assert_equal 1, sub(3, 2)\nend\n",
    "nodejs": "it('adds', () => assert.equal(add(1, 2), 3));\n\n\n\nit('sub', () => assert.equal(sub(3, 2), 1));\n",
    "java": (
        "@Test public void test_add() { assertEquals(3, Main.add(1, 2)); }\n\n\n\n"
        "@Test public void test_sub() { assertEquals(1, Main.sub(3, 2)); }\n"
    ),
}
WHOLE = {
    "python": (
        "import unittest\nfrom main import add\n\nclass UnitTests(unittest.TestCase):\n"
        "    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n"
    ),
    "ruby": (
        "require 'minitest/autorun'\nclass UnitTests < Minitest::Test\n"
        "  def test_add\n    assert_equal 3, add(1, 2)\n  end\nend\n"
    ),
    "nodejs": (
        "const assert = require('assert');\ndescribe('sums', () => {\n"
        "  it('adds', async () => assert.strictEqual(add(1, 2), 3));\n});\n"
    ),
    "java": (
        "import org.junit.Test;\nimport static org.junit.Assert.*;\n\npublic class UnitTests {\n"
        "    @Test\n    public void adds() {\n        assertEquals(3, Main.add(1, 2));\n    }\n}\n"
    ),
}
RAISES = {
    "python": (
        "def f(): return [][1]\n",
        "def test_f(self):\n    f()\n",
        "IndexError: list index out of range",
        "main.py",
    ),
    "ruby": ("def f = raise('no')\n", "def test_f\n  f\nend\n", "RuntimeError: no", "main.rb:1"),
    "nodejs": ("function f() { null.x }\n", "it('test_f', () => f());\n", "TypeError: Cannot read", "index.js:1"),
    "java": (PROGRAM["java"], "@Test public void test_f() { Main.boom(); }", "RuntimeException: no", "Main.java:4"),
}
NOT_CODE = {
    "python": ("def f(:\n", "SyntaxError"),
    "ruby": ("def f(\n", "main.rb"),
    "nodejs": ("function f( {\n", "SyntaxError"),
    "java": ("class Main { int }\n", "Main.java:1: error"),
}
ENDS_EARLY = {
    "python": ("import os\ndef f(): os._exit(0)\n", "def test_f(self):\n    f()\n"),
    "ruby": ("def f = exit!(0)\n", "def test_f\n  f\nend\n"),
    "nodejs": ("function f() { process.exit(0) }\n", "it('f', () => f());\n"),
    "java": ("class Main { static void f() { System.exit(0); } }\n", "@Test public void f() { Main.f(); }\n"),
}
EMPTY = {"python": "x = 1\n", "ruby": "x = 1\n", "nodejs": "let x = 1;\n"}


async def judged(cast: Cast, language: str, code: str, suite: str, **files: str) -> dict[str, Any]:
    if not is_installed(LANGUAGES[language].compiler_id):
        pytest.skip(f"{language} is not installed here")
    program = {MAIN[language]: code.encode(), **{path: text.encode() for path, text in files.items()}}
    verdict = await unit_tests(caller_of(cast), language, program, suite)
    assert set(verdict) - {"error"} == {"passed", "failures"}
    return verdict


def test_every_harness_is_tried() -> None:
    assert set(MAIN) == set(HARNESSES) - {"python3"}


@pytest.mark.parametrize("language", MAIN)
async def test_bare_test_methods_are_a_suite(cast: Cast, language: str) -> None:
    verdict = await judged(cast, language, PROGRAM[language], BARE[language])
    assert not verdict["passed"], verdict
    (failure,) = verdict["failures"]
    assert "sub" in failure["name"]
    assert "5" in failure["message"]
    assert "1" in failure["message"]
    assert f"UnitTests.{MAIN[language].partition('.')[2]}" in failure["stack"]
    assert "5" in failure["stack"]
    assert not {"/work", ".runcode", "node:", "junit", "unittest/", "minitest"} & set(failure["stack"].split())


@pytest.mark.parametrize("language", MAIN)
async def test_a_whole_class_is_a_suite(cast: Cast, language: str) -> None:
    assert await judged(cast, language, PROGRAM[language], WHOLE[language]) == {"passed": True, "failures": []}


@pytest.mark.parametrize("language", MAIN)
async def test_an_exception_is_a_failure_with_the_users_frames(cast: Cast, language: str) -> None:
    code, suite, message, frame = RAISES[language]
    (failure,) = (await judged(cast, language, code, suite))["failures"]
    assert failure["name"] == "test_f"
    assert message in failure["message"]
    assert frame in failure["stack"]


@pytest.mark.parametrize("language", MAIN)
async def test_a_program_that_is_none_is_an_error(cast: Cast, language: str) -> None:
    code, words = NOT_CODE[language]
    verdict = await judged(cast, language, code, BARE[language])
    assert (verdict["passed"], verdict["failures"]) == (False, [])
    assert words in verdict["error"]
    assert "/work" not in verdict["error"]


@pytest.mark.parametrize("language", MAIN)
async def test_a_program_that_ends_in_the_middle_has_not_passed(cast: Cast, language: str) -> None:
    code, suite = ENDS_EARLY[language]
    verdict = await judged(cast, language, code, suite)
    assert (verdict["passed"], verdict["failures"]) == (False, [])
    assert "ended before its tests did, with exit code 0" in verdict["error"]


@pytest.mark.parametrize("language", EMPTY)
async def test_a_suite_without_tests_has_not_passed(cast: Cast, language: str) -> None:
    verdict = await judged(cast, language, "", EMPTY[language])
    assert verdict == {"passed": False, "failures": [], "error": "The suite has no tests."}


async def test_what_a_program_prints_is_no_verdict(cast: Cast) -> None:
    code = "import atexit, json\nsay = lambda: print(json.dumps({'ran': 1, 'failures': [], 'passed': True}))\n"
    suite = "def test_f(self):\n    say()\n    self.fail('it fails')\n"
    verdict = await judged(cast, "python", f"{code}say()\natexit.register(say)\n", suite)
    assert [failure["message"] for failure in verdict["failures"]] == ["it fails"]


async def test_a_report_under_another_name_is_none(cast: Cast) -> None:
    code = "import os\ndef f():\n    for name in ('report.json', '0' * 32 + '.json'):\n"
    code += '        open(name, \'w\').write(\'{"ran": 1, "failures": [], "error": ""}\')\n    os._exit(0)\n'
    verdict = await judged(cast, "python", code, "def test_f(self):\n    f()\n")
    assert not verdict["passed"]


async def test_exit_fails_its_test_alone(cast: Cast) -> None:
    suite = "def test_a(self):\n    f()\ndef test_b(self):\n    pass\n"
    (failure,) = (await judged(cast, "python", "def f(): raise SystemExit\n", suite))["failures"]
    assert failure["name"] == "test_a"
    (failure,) = (await judged(cast, "ruby", "def f = exit\n", "def test_a\n  f\nend\ndef test_b; end\n"))["failures"]
    assert failure["name"] == "test_a"


async def test_projects_of_several_files_are_tested_as_a_whole(cast: Cast) -> None:
    verdict = await judged(
        cast,
        "python",
        "from helper import two\n",
        "def test(self):\n    self.assertEqual(two(), 2)\n",
        **{"helper.py": "def two(): return 2\n"},
    )
    assert verdict["passed"], verdict
    code = "const { two } = require('./helper');\nmodule.exports = { four: () => 2 * two() };\n"
    suite = "const { four } = require('./index');\nit('is four', () => assert.equal(four(), 4));\n"
    verdict = await judged(cast, "nodejs", code, suite, **{"helper.js": "exports.two = () => 2;\n"})
    assert verdict["passed"], verdict


async def test_modules_are_tested_by_modules(cast: Cast) -> None:
    suite = "import { f } from './index.js';\nit('is one', () => assert.equal(f(), 1));\n"
    assert (await judged(cast, "nodejs", "export const f = () => 1;\n", suite))["passed"]


async def test_setup_and_subtests_of_unittest_work(cast: Cast) -> None:
    suite = "import math\n\ndef setUp(self):\n    self.x = math.floor(1.5)\n\ndef test_x(self):\n"
    suite += "    for y in (1, 2):\n        with self.subTest(y=y):\n            self.assertEqual(self.x, y)\n"
    (failure,) = (await judged(cast, "python", "", suite))["failures"]
    assert failure["name"] == "test_x (y=2)"
    assert failure["message"] == "1 != 2"


@pytest.mark.parametrize(
    ("language", "fence"), [("python", "python"), ("ruby", "ruby"), ("nodejs", "js"), ("java", "java")]
)
async def test_the_suites_of_the_documentation_work_as_they_stand(cast: Cast, language: str, fence: str) -> None:
    (suite,) = fences("code-tools", fence)
    assert await judged(cast, language, PROGRAM[language], suite) == {"passed": True, "failures": []}


async def test_a_suite_is_billed_as_a_run(cast: Cast, running: Metering) -> None:
    await judged(cast, "python", PROGRAM["python"], BARE["python"])
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 1


async def test_other_languages_are_refused_in_words(cast: Cast) -> None:
    with pytest.raises(ToolRefused, match="There are no unit tests for go"):
        await unit_tests(caller_of(cast), "go", {"main.go": b""}, "")
    with pytest.raises(ToolRefused, match="There is nothing to test"):
        await unit_tests(caller_of(cast), "python", {}, "")
