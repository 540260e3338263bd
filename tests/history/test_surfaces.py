"""Each surface leaves its runs in the history under its own name; what was refused is no run."""

from asgiref.sync import sync_to_async

from execution.history import flush
from execution.models import Run
from tests.execution.conftest import Api


async def recorded() -> list[Run]:
    await sync_to_async(flush)()
    return [run async for run in Run.objects.order_by("pk")]


async def test_synchronous_runs(api: Api) -> None:
    await api.run("print(1)")
    await api.run("exit(3)")
    one, other = await recorded()
    assert (one.surface, one.outcome, bytes(one.stdout)) == ("sync", "success", b"1\n")
    assert (other.outcome, other.exit_code) == ("runtime_error", 3)


async def test_runs_of_v1(api: Api) -> None:
    response = await api.request("POST", "/v1/execute", json={"runtime": "python", "code": "print(1)"})
    assert response.status_code == 200
    assert [run.surface for run in await recorded()] == ["v1"]


async def test_a_refusal_is_no_run(api: Api) -> None:
    response = await api.post({"compiler": "python-3.14", "code": 1})
    assert response.status_code == 400
    assert await recorded() == []
