"""Runs a unittest suite against a program, in the sandbox: its report goes into the file that the input names.

The suite is UnitTests.py, a whole class or bare test methods; it sees the program's names, and may import it too.
"""

import ast
import importlib
import json
import linecache
import os
import sys
import textwrap
import traceback
import types
import unittest
from pathlib import Path

SUITE = "/work/UnitTests.py"
MOST, MOST_CHARACTERS = 200, 10_000


def stack_of(error):
    """The frames of the user's files, and nothing of the harness or of unittest."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    lines = traceback.format_list(frames)
    return "".join(lines).replace("/work/", "").rstrip("\n")


def is_users(filename):
    return filename.startswith("/work/") and not filename.startswith("/work/.runcode/")


class Report(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.told = []

    def _tell(self, test, error):
        text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        name = str(test).partition(" ")[0] + (f" {test._subDescription()}" if hasattr(test, "_subDescription") else "")
        if len(self.told) < MOST:
            self.told.append(
                {"name": name, "message": text[:MOST_CHARACTERS], "stack": stack_of(error)[:MOST_CHARACTERS]}
            )

    def addError(self, test, err):  # noqa: N802
        super().addError(test, err)
        self._tell(test, err[1])

    def addFailure(self, test, err):  # noqa: N802
        super().addFailure(test, err)
        self._tell(test, err[1])

    def addSubTest(self, test, subtest, err):  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._tell(subtest, err[1])

    def addUnexpectedSuccess(self, test):  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._tell(test, AssertionError("It was expected to fail, and did not."))


def suite_of(program):
    """The suite as a module. Bare test methods become those of a class; imports and the like stay outside."""
    code = textwrap.dedent(Path(SUITE).read_text(encoding="utf-8"))
    linecache.cache[SUITE] = (len(code), None, code.splitlines(keepends=True), SUITE)
    tree = ast.parse(code, SUITE)
    if not any(isinstance(node, ast.ClassDef) for node in tree.body):
        methods = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        if methods:
            (wrapper,) = ast.parse("class UnitTests(__import__('unittest').TestCase): pass").body
            wrapper.body = methods
            tree.body = [*(node for node in tree.body if node not in methods), ast.copy_location(wrapper, methods[0])]
    module = types.ModuleType("UnitTests")
    module.__dict__.update({name: value for name, value in vars(program).items() if not name.startswith("__")})
    module.__dict__.update(unittest=unittest, __file__=SUITE)
    sys.modules["UnitTests"] = module
    exec(compile(tree, SUITE, "exec"), module.__dict__)  # noqa: S102
    return module


def run(entry):
    try:
        module = suite_of(importlib.import_module(entry))
        tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    except BaseException as error:
        at = error.__traceback__
        while at is not None and not is_users(at.tb_frame.f_code.co_filename):
            at = at.tb_next
        text = "".join(traceback.format_exception(type(error), error, at))
        return {"ran": 0, "failures": [], "error": text.replace("/work/", "").rstrip("\n")[:MOST_CHARACTERS]}
    report = Report()
    tests.run(report)
    return {"ran": report.testsRun, "failures": report.told, "error": ""}


def main():
    name, entry = sys.stdin.read().split()
    sys.path[0] = "/work"
    sys.argv = ["/work/main.py"]
    report = run(entry)
    Path("/work", name).write_text(json.dumps(report), encoding="utf-8")
    # Nothing of the program's may come after it.
    os._exit(0)


if __name__ == "__main__":
    main()
