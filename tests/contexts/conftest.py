from collections.abc import Iterator

import httpx
import pytest

from tests.server import Service


def close_all(client: httpx.Client) -> None:
    for context in client.get("/contexts/").json()["contexts"]:
        client.delete(f"/contexts/{context['context_id']}")


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    """The API as the demo account, which has no context open."""
    with service.client() as client:
        close_all(client)
        yield client
        close_all(client)
