"""The service's settings for the tests: an installation of their own, one for each test process.

Only the toolchains are those of the installation that the tests run beside (RUNCODE_HOME, `var/` by default): they
are large and never written to. DATABASE_URL is heeded, so that the tests can run over PostgreSQL too.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from execution.environment import home

# Resolved: a worker of pytest-xdist gets here over the home of the process that started it.
INSTALLED_TOOLCHAINS = (home() / "toolchains").resolve()

_home = Path(tempfile.mkdtemp(prefix="runcode-tests-"))
# Sandboxes run as users of their own, who must be able to pass through.
_home.chmod(0o755)
(_home / "static").mkdir()
(_home / "toolchains").symlink_to(INSTALLED_TOOLCHAINS)
atexit.register(shutil.rmtree, _home, ignore_errors=True)

# Before the settings are read, and against what a developer's .env may say.
os.environ |= {
    "RUNCODE_HOME": str(_home),
    "RUNCODE_SECRET_KEY": "only for tests",
    "RUNCODE_PUBLIC_URL": "http://localhost:8000",
    "RUNCODE_LOG_FORMAT": "json",
    "REDIS_URL": "",
    "RUNCODE_BROKER": "",
}

from config.settings import *  # noqa: E402, F403

# Nothing is collected for the tests, so no file has a digest in its name.
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # In a file as in production: the threads that share a database in memory lock each other out without waiting.
    DATABASES["default"]["TEST"] = {"NAME": str(_home / "tests.sqlite3")}  # noqa: F405
