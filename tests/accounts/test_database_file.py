import os
import stat
import subprocess
import sys
from pathlib import Path

from django.conf import settings


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings", "RUNCODE_HOME": str(tmp_path)}

    subprocess.run([sys.executable, "manage.py", "check"], cwd=settings.BASE_DIR, env=environment, check=True)

    assert stat.S_IMODE((tmp_path / "db.sqlite3").stat().st_mode) == 0o600
