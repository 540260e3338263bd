"""The installation's variables for programs that run before, or without, Django: the environment, then `.env`.

`config/settings.py` reads the same `.env` through django-environ. Both use the same rule: a variable that is set
in the environment wins over the file.
"""

# The doctor must be able to speak on a Python that is too old for the rest.
from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
FALSE_WORDS = ("0", "false", "no", "off", "n", "f")


def read_env_file(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file (`export` and one pair of quotes allowed, `#` comments skipped)."""
    if not path.is_file():
        return {}
    values = {}
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if not line or line.startswith("#") or "=" not in line:
            continue
        name, _, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if name.startswith("export "):
            name = name[len("export ") :].strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name] = value
    return values


def load_env_file(path: Path = BASE_DIR / ".env") -> None:
    """Puts the file's variables into the environment of this process, below those that are set already."""
    for name, value in read_env_file(path).items():
        os.environ.setdefault(name, value)


def home() -> Path:
    """RUNCODE_HOME, the directory of everything that the installation keeps; `var/` in the clone by default."""
    return Path(os.environ.get("RUNCODE_HOME") or BASE_DIR / "var").resolve()


def listen_address() -> tuple[str, int]:
    """HOST and PORT, where the service listens; 127.0.0.1 and 8000 by default. Raises ValueError for a bad port."""
    port = int(os.environ.get("PORT") or 8000)
    if not 0 < port < 65536:
        raise ValueError(f"PORT is {port}; a port is a number from 1 to 65535")
    return os.environ.get("HOST") or "127.0.0.1", port


def is_on(name: str, default: bool) -> bool:
    """A variable that switches something: on unless it says 0, false, no or off; unset or empty is the default."""
    value = os.environ.get(name, "").strip().lower()
    return value not in FALSE_WORDS if value else default
