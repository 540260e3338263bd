"""What a ReplitClient asks about a program beyond running it: lint, format, unit tests. Each function takes a caller
and plain data, and goes to the sandbox by its own door."""

from execution.repl.tools.formatting import format_code
from execution.repl.tools.linting import lint
from execution.repl.tools.refusals import ToolRefused
from execution.repl.tools.unit_testing import unit_tests

__all__ = ["ToolRefused", "format_code", "lint", "unit_tests"]
