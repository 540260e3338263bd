"""Programs as people write them: with and without the ceremonies that each language allows."""

from typing import Any

import pytest
from django.conf import settings

from execution.catalogue import installed
from execution.sandbox.job import Outcome
from tests.languages.conftest import Run
from tests.languages.table import LANGUAGES, Language

# On a new Docker Engine the first test waits until the toolchains' roots have become images.
pytestmark = pytest.mark.timeout(600)
PROGRAMS = [(language, program) for language in LANGUAGES.values() for program in language.written()]


@pytest.mark.parametrize(("language", "program"), PROGRAMS, ids=[f"{lang.id} {p['name']}" for lang, p in PROGRAMS])
async def test_it_runs_as_written(run: Run, language: Language, program: dict[str, Any]) -> None:
    here = installed(settings.RUNCODE_HOME).get(language.id)
    missing = set(program.get("libraries", ())) - {name for name, _ in here.libraries} if here else ()
    if missing:
        pytest.skip(f"{language.id} is installed without {', '.join(sorted(missing))} here")
    result = await run(language, language.written_files(program), stdin=program.get("input", "").encode())
    if message := program.get("compile_error"):
        assert result.outcome is Outcome.COMPILE_ERROR, result
        assert message in result.compile_output.decode()
    else:
        assert (result.outcome, result.exit_code) == (Outcome.SUCCESS, 0), result
        assert result.stdout.decode() == program["output"]
