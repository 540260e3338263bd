"""Connections that are opened and then say nothing: the clients of bench/connections.py.

    python -m bench.idle PORT socketio|websocket KEY NUMBER

Prints `open` once all are accepted, and holds them until its standard input ends. They answer the pings of their
protocols, as any client does.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import ClientConnection, connect

AT_ONCE = 50


async def socket_io(port: int, key: str) -> ClientConnection:
    connection = await connect(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket", proxy=None)
    await connection.recv()
    await connection.send("40" + json.dumps({"token": key}))
    answer = str(await connection.recv())
    if not answer.startswith("40"):
        raise RuntimeError(answer)
    return connection


async def websocket(port: int, key: str) -> ClientConnection:
    connection = await connect(f"ws://127.0.0.1:{port}/ws/run/", proxy=None)
    await connection.send(json.dumps({"type": "auth", "key": key}))
    answer = str(await connection.recv())
    if json.loads(answer)["type"] != "ready":
        raise RuntimeError(answer)
    return connection


async def answer_pings(connection: ClientConnection) -> None:
    async for packet in connection:
        if packet == "2":
            await connection.send("3")


async def main(port: int, kind: str, key: str, number: int) -> None:
    opening = {"socketio": socket_io, "websocket": websocket}[kind]
    room = asyncio.Semaphore(AT_ONCE)

    async def hold() -> None:
        async with room:
            connection = await opening(port, key)
        opened.release()
        await answer_pings(connection)

    opened = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hold()) for _ in range(number)]
        for _ in range(number):
            await opened.acquire()
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
