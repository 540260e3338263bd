"""What linters and compilers say, read into findings. Pure: each function takes a tool's output."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

# Of one program; nobody reads more, and a compiler that lost the thread goes on for ever.
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` and `column` count from 1, the column in characters. `severity` is error, warning or info."""

    line: int
    column: int
    severity: str
    message: str


def as_data(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """In the order of the program, each once."""
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: (finding.line, finding.column))
    return [asdict(finding) for finding in ordered[:MOST]]


_SEVERITIES: Final = {
    "fatal error": "error",
    "parse error": "error",
    "error": "error",
    "warning": "warning",
    "deprecated": "warning",
    "notice": "info",
    "note": "info",
    "info": "info",
}


def of_lines(pattern: str) -> Callable[[str], list[Finding]]:
    """A reader of messages of one line each; the pattern's groups are line, column, severity and message, of which
    column and severity (then it is an error) may be missing."""
    compiled = re.compile(pattern, re.MULTILINE)

    def read(output: str) -> list[Finding]:
        found = []
        for match in compiled.finditer(output):
            groups = match.groupdict()
            severity = _SEVERITIES[(groups.get("severity") or "error").lower()]
            column = int(groups.get("column") or 1)
            found.append(Finding(int(groups["line"]), max(column, 1), severity, groups["message"].strip()))
        return found

    return read


_JAVAC: Final = re.compile(r"^[^\s:]+\.java:(?P<line>\d+): (?P<kind>error|warning): (?P<message>.*)$")


def of_javac(output: str) -> list[Finding]:
    """javac marks the column by a caret, two lines or more below its message."""
    found: list[Finding] = []
    for text in output.splitlines():
        if match := _JAVAC.match(text):
            found.append(Finding(int(match["line"]), 1, match["kind"], match["message"]))
        elif found and found[-1].column == 1 and text.strip() == "^":
            found[-1] = Finding(found[-1].line, len(text), found[-1].severity, found[-1].message)
    return found


def of_rustc(output: str) -> list[Finding]:
    """rustc's JSON, a line for each message; the place is that of the primary span."""
    found = []
    for text in output.splitlines():
        message = _json(text)
        if not isinstance(message, dict) or not message.get("spans"):
            continue
        span = next((span for span in message["spans"] if span["is_primary"]), message["spans"][0])
        severity = _SEVERITIES.get(message["level"], "info")
        found.append(Finding(span["line_start"], span["column_start"], severity, message["message"]))
    return found


# Undefined names, and what cannot be a program: the rest of ruff's rules is advice.
_RUFF_ERRORS: Final = ("invalid-syntax", "F821", "F7", "E9", "PLE")


def of_ruff(output: str) -> list[Finding]:
    found = []
    for entry in _json(output) or []:
        code = entry["code"] or "invalid-syntax"
        severity = "error" if code.startswith(_RUFF_ERRORS) else "warning"
        message = entry["message"] if code == "invalid-syntax" else f"{entry['message']} ({code})"
        found.append(Finding(entry["location"]["row"], entry["location"]["column"], severity, message))
    return found


def of_json(output: str) -> list[Finding]:
    """What our own programs around a linter print: findings already."""
    return [Finding(**entry) for entry in _json(output) or []]


def _json(text: str) -> Any:
    """The value that a text begins with; what comes after it went to the error stream. None where there is none."""
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except ValueError:
        return None
