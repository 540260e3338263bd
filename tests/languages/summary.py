"""Says at the end of a test run in which languages programs ran, and which were absent: a skip is easily overlooked."""

import re

from _pytest.terminal import TerminalReporter

from execution.catalogue import COMPILERS

_OF_A_LANGUAGE = re.compile(r"tests/languages/test_languages\.py::test_hello\[(.+)\]")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Counts a language as run when its hello-world passed, as absent when that was skipped."""
    seen: dict[str, list[str]] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            if found := _OF_A_LANGUAGE.search(report.nodeid):
                seen.setdefault(outcome, []).append(found[1])
    if not seen:
        return
    order = list(COMPILERS)
    parts = [f"{len(seen.get('passed', ()))} of {len(order)} ran"]
    for outcome, word in (("skipped", "absent"), ("failed", "failed"), ("error", "failed")):
        if ids := seen.get(outcome):
            parts.append(f"{word}: {', '.join(sorted(ids, key=order.index))}")
    terminalreporter.write_line(f"Languages: {'; '.join(parts)}.")
