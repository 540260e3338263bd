"""Two web processes of one installation: an account's connections are counted together, and those of one that is
killed are free again."""

from contextlib import AsyncExitStack

from billing.plans import FREE
from tests.ratelimits.redis_server import RedisServer
from tests.realtime.clients import no_connections
from tests.repl.conftest import new_token
from tests.repl.raw import Raw, over_network
from tests.server import Service, running_service


async def entered(stack: AsyncExitStack, service: Service, url: str) -> Raw:
    client = await stack.enter_async_context(over_network(service, url=url))
    # Compiled, so that nothing is kept for it.
    assert (await client.enter(new_token(service.demo["secret"]), "c"))["command"] == "ready"
    return client


async def test_connections_are_counted_together_and_heal(redis: RedisServer) -> None:
    with running_service(REDIS_URL=redis.url) as service, service.second_web() as second:
        async with AsyncExitStack() as stack, AsyncExitStack() as dying:
            half = FREE.concurrent_connections // 2
            for _ in range(half):
                await entered(stack, service, service.url)
                await entered(dying, service, second)
            for url in (service.url, second):
                async with over_network(service, url=url) as one_more:
                    answer = await one_more.enter(new_token(service.demo["secret"]), "c")
                    assert answer["data"].startswith(f"All {2 * half} WebSocket connections")
            service.second.kill()
            await stack.aclose()
            # A lease of the dead process' lapses well within the patience.
            await no_connections(service)
