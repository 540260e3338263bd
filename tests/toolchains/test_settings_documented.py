"""Every variable that the code reads stands in docs/settings.md, and none stands there that nothing reads."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SETTINGS = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
CODE = ("config", "accounts", "billing", "execution", "widgets", "bench")

# As the code reads them: through django-environ, os.environ, or a helper of execution/environment.py.
READ = re.compile(
    r"""(?:environ(?:\.get)?|getenv|env(?:\.[a-z_]+)?|is_on)\s*[\[(]\s*["']([A-Z][A-Z0-9_]+)["']""",
)
# Set by others for us: terminals, the C library, Python's tools.
FOREIGN = {"TERM", "PATH", "HOME", "TMPDIR", "DJANGO_SETTINGS_MODULE"}


def _variables() -> set[str]:
    found: set[str] = set()
    for folder in CODE:
        for path in (REPOSITORY / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(READ.findall(text)) | set(re.findall(r"""["'](RUNCODE_[A-Z0-9_]+)["']""", text))
    # Names of attributes of our settings are no variables.
    return found - FOREIGN


def test_every_variable_is_documented() -> None:
    variables = _variables()
    assert {"PORT", "HOST", "RUNCODE_HOME", "DATABASE_URL", "REDIS_URL", "RUNCODE_STAND_INS"} <= variables

    assert sorted(name for name in variables if f"`{name}`" not in SETTINGS) == []


def test_nothing_is_documented_that_no_code_reads() -> None:
    documented = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", SETTINGS, re.M))

    assert documented
    assert sorted(documented - _variables()) == []


def test_every_page_that_the_readme_names_is_there() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (REPOSITORY / name).read_text(encoding="utf-8")):
            assert (REPOSITORY / target).exists(), f"{name}: {target}"
