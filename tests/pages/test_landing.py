"""What the front page claims is so."""

import json
import re

import pytest
from django.test import AsyncClient

from accounts.caller import Caller
from billing.metering import metering_service
from execution.pages_landing import ENDINGS, Ending
from execution.requests import RunRequest
from execution.results import answer_of
from execution.runs import run_code
from execution.sandbox_clients import sandbox_connections
from tests.cast import Cast, Person
from tests.pages.html import parse

COMPILER = {"python": "python-3.14", "c": "gcc-15"}


async def run(person: Person, **body: object) -> dict[str, object]:
    caller = Caller(organisation_id=person.organisation.pk, key_id=person.api_key_row.pk, kind="api")
    async with metering_service(), sandbox_connections():
        answer = await run_code(caller=caller, request=RunRequest.from_data(body))
    return answer_of(answer.result, extended=False, with_files=False)


@pytest.mark.parametrize("ending", ENDINGS, ids=[ending.meaning for ending in ENDINGS])
async def test_every_program_ends_as_the_page_says(cast: Cast, sandbox: object, ending: Ending) -> None:
    limit = {"time_limit": 1} if ending.exit_code == 124 else {}
    result = await run(cast.alice, compiler=COMPILER[ending.language], code=ending.source, **limit)
    assert result["exit_code"] == ending.exit_code
    signal = re.search(r"signal (\d+)", ending.meaning)
    assert result["signal"] == (int(signal[1]) if signal else None)


async def test_the_example_call_gives_the_example_answer(
    cast: Cast, sandbox: object, async_client: AsyncClient
) -> None:
    page = (await async_client.get("/")).content.decode()
    request, answer = (pre.text for pre in parse(page).one("div", class_="exchange dark code").all("pre"))
    body = json.loads(request.partition("-d '")[2].removesuffix("'"))
    told = json.loads(answer)
    result = await run(cast.alice, **body)
    varying = {"time", "total", "memory"}
    assert {name: value for name, value in result.items() if name not in varying} == {
        name: value for name, value in told.items() if name not in varying
    }
    assert result.keys() == told.keys()
