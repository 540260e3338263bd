"""A process like a web process, for tests: says what it makes of keys, makes and revokes them. Talks JSON by lines."""

import asyncio
import json
import sys
from typing import Any

import django

django.setup()

from asgiref.sync import sync_to_async  # noqa: E402

from accounts import authentication, broadcast  # noqa: E402
from accounts.key_lifecycle import create_api_key, revoke_api_key  # noqa: E402
from accounts.keys import digest_of  # noqa: E402
from accounts.models import ApiKey, Organisation  # noqa: E402
from config.errors import ApiError  # noqa: E402


async def check(key: str) -> dict[str, Any]:
    try:
        authentication._cache.get(digest_of(key))
        remembered = True
    except KeyError:
        remembered = False
    try:
        await authentication.authenticate_key(key, client_ip="192.0.2.1", origin=None, kind="api")
    except ApiError as error:
        return {"answer": f"{error.status} {error.code}", "remembered": remembered}
    return {"answer": "accepted", "remembered": remembered}


def make() -> dict[str, Any]:
    organisation, _ = Organisation.objects.get_or_create(name="Acme")
    row, key = create_api_key(organisation=organisation, created_by=None, name="made")
    return {"id": row.pk, "key": key}


def revoke(key_id: int) -> dict[str, Any]:
    revoke_api_key(key=ApiKey.objects.get(pk=key_id))
    return {}


async def main() -> None:
    listener = asyncio.create_task(broadcast.listen())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, *arguments = json.loads(line)
        if command == "check":
            answer = await check(*arguments)
        elif command == "healthy":
            answer = {"healthy": broadcast.healthy}
        elif command == "make":
            answer = await sync_to_async(make)()
        else:
            answer = await sync_to_async(revoke)(*arguments)
        print(json.dumps(answer), flush=True)  # noqa: T201
    listener.cancel()


asyncio.run(main())
