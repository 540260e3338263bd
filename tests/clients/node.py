"""Scripts that use stock npm packages, run by Node as anybody would run them.

The packages are those of package.json beside this file, exactly as package-lock.json pins them.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests import npm

FOLDER = Path(__file__).parent
PATIENCE = 60.0
END_SECONDS = 2.0


def packages() -> Path:
    """The folder below which Node finds the packages. Installs them when they are not there yet."""
    return npm.installed(FOLDER, "test-clients")


class Script:
    """A running script. What it prints is read line by line, each line as JSON."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def line(self) -> Any:
        """The next thing that it prints."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, self._error()
        return json.loads(text)

    def say(self, text: str) -> None:
        """A line for its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """As when a machine goes away: without a word."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def end(self) -> None:
        """Its standard input ends, which a script that listens there may take as its end; else it is killed."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _error(self) -> str:
        assert self.process.stderr is not None
        self.process.kill()
        return self.process.stderr.read()


@contextmanager
def running(code: str, **environment: str) -> Iterator[Script]:
    """An ECMAScript module; `environment` is all it sees of ours beside PATH. Ended in the end."""
    process = subprocess.Popen(
        ["node", "--input-type=module", "--eval", code],
        cwd=packages(),
        env=_environment(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    script = Script(process)
    try:
        yield script
    finally:
        script.end()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def run(code: str, **environment: str) -> str:
    """What an ECMAScript module prints, which must end well."""
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", code],
        cwd=packages(),
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **environment}
