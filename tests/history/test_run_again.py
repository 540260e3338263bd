"""Running a run of the history again, from its page."""

from django.test import AsyncClient

from billing.usage import ausage_of
from execution.models import Run
from execution.models.packing import pack
from tests.cast import Cast
from tests.execution.conftest import Api
from tests.history.conftest import request


async def signed_in(cast: Cast) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(cast.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


async def make(cast: Cast, **fields: object) -> Run:
    return await Run.objects.acreate(
        organisation=cast.alice.organisation, key_id=1, key_kind="api", surface="sync", compiler="python-3.14", **fields
    )


async def test_it_runs_and_leads_to_the_new_run(api: Api, cast: Cast) -> None:
    asked = request("print(input() + open('b.txt').read())", input="a", files={"b.txt": "é"})
    run = await make(cast, request=pack(asked.to_data()), status="finished")
    response = await (await signed_in(cast)).post(f"/dashboard/runs/{run.pk}/again/")
    again = await Run.objects.exclude(pk=run.pk).aget()
    assert response["Location"] == f"/dashboard/runs/{again.pk}/"
    assert (again.surface, again.key_id, bytes(again.stdout)) == ("playground", -cast.alice.user.pk, "aé\n".encode())
    assert (await ausage_of(cast.alice.organisation.pk)).runs_used == 1


async def test_a_program_that_is_not_kept_is_not_run(api: Api, cast: Cast) -> None:
    run = await make(cast, status="finished")
    response = await (await signed_in(cast)).post(f"/dashboard/runs/{run.pk}/again/")
    assert response["Location"] == f"/dashboard/runs/{run.pk}/"
    assert await Run.objects.acount() == 1
