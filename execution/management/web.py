"""`python -m execution.management.web FD`: one web process, on a socket that its starter listens on already.

The socket outlives the process: while the web is started again after a crash, callers wait in its queue instead of
being refused. Several such processes may share it.
"""

import resource
import socket
import sys

import uvicorn

GRACE_SECONDS = 10
# Longer than the pauses of a client that calls now and then, so that its next call does not meet a closing connection.
KEEP_ALIVE_SECONDS = 75
# Of one frame from a client: above what a program within all field limits needs even when most of it is JSON escapes.
FRAME_BYTES = 4 * 1024 * 1024
STARTUP_FAILURE = 3


def configuration() -> uvicorn.Config:
    """uvicorn on plain asyncio: starting a process from uvloop takes ten times as long. The client's address is
    told by accounts/client_ip.py, which knows the trusted proxies, and requests are logged by our own middleware."""
    return uvicorn.Config(
        "config.asgi:application",
        loop="asyncio",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,
        # Each open connection would keep two compressors' memory for lines that hardly shrink.
        ws_per_message_deflate=False,
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


class Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Polls wait for as long as nothing happens, and the server for the polls, for all of its grace."""
        # Here, because it imports models: the application is loaded by now, and was not when this module was.
        from execution.repl.socket import end_all  # noqa: PLC0415
        from execution.socket_io import answer_polls  # noqa: PLC0415

        answer_polls()
        await end_all()
        await super().shutdown(sockets)


def allow_connections() -> None:
    """Each open connection takes a descriptor; shells commonly allow 1,024 until more are asked for."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(descriptor: int) -> int:
    allow_connections()
    server = Server(configuration())
    server.run(sockets=[socket.socket(fileno=descriptor)])
    return 0 if server.started else STARTUP_FAILURE


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
