"""The services of a web process: entered at its start, left at its end."""

import asyncio
from contextlib import asynccontextmanager

from config import lifespan
from config.lifespan import Lifespan, background


class Server:
    """The server's end of the lifespan protocol."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.sent: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def run(self, app: Lifespan) -> None:
        await app({"type": "lifespan"}, self.incoming.get, self.sent.put)

    async def tell(self, what: str) -> dict[str, str]:
        self.incoming.put_nowait({"type": f"lifespan.{what}"})
        return await asyncio.wait_for(self.sent.get(), 10)


def service(name: str, log: list[str]):
    @asynccontextmanager
    async def running():
        log.append(f"{name} starts")
        yield
        log.append(f"{name} stops")

    return running


async def test_services_start_in_order_and_stop_in_reverse():
    log: list[str] = []
    server = Server()
    running = asyncio.create_task(server.run(Lifespan([service("a", log), service("b", log)])))
    assert (await server.tell("startup"))["type"] == "lifespan.startup.complete"
    assert log == ["a starts", "b starts"]
    assert (await server.tell("shutdown"))["type"] == "lifespan.shutdown.complete"
    await running
    assert log[2:] == ["b stops", "a stops"]


async def test_a_service_that_cannot_start_stops_the_process_and_says_why():
    @asynccontextmanager
    async def second_process():
        raise RuntimeError("Another web process runs here; set REDIS_URL.")
        yield

    log: list[str] = []
    server = Server()
    running = asyncio.create_task(server.run(Lifespan([service("a", log), second_process])))
    message = await server.tell("startup")
    await running
    assert message["type"] == "lifespan.startup.failed"
    assert "set REDIS_URL" in message["message"]
    assert log == ["a starts", "a stops"]


async def test_a_background_task_that_fails_is_started_again(monkeypatch, capfd):
    monkeypatch.setattr(lifespan, "RESTART_SECONDS", 0)
    attempts = 0
    steady = asyncio.Event()

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise RuntimeError("lost the connection")
        steady.set()
        await asyncio.sleep(60)

    async with background(work)():
        await asyncio.wait_for(steady.wait(), 10)
    assert attempts == 3
    assert capfd.readouterr().err.count("background task failed") == 2


async def test_a_background_task_is_cancelled_and_waited_for():
    tidied = False

    async def work() -> None:
        nonlocal tidied
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            tidied = True

    async with background(work)():
        await asyncio.sleep(0)
    assert tidied
