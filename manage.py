#!/usr/bin/env python3
"""Django's command line for this project. A Python without Django hands over to the one of .venv."""

import importlib.util
import os
import sys
from pathlib import Path

VENV_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if importlib.util.find_spec("django") is None:
        if not VENV_PYTHON.exists() or Path(sys.prefix) == VENV_PYTHON.parents[1]:
            sys.exit("Django is not installed here. `make run` makes .venv with everything that is needed.")
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])  # noqa: S606 - the same program again
    # Only now: the Python that this was started with may lack it.
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
