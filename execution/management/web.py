"""`python -m execution.management.web FD`: the web process, on a socket that its starter listens on already.

The socket outlives the process: while the web is started again after a crash, callers wait in its queue instead of
being refused.
"""

import os
import socket
import sys

import uvicorn
from uvicorn.supervisors import Multiprocess

GRACE_SECONDS = 10


def configuration(workers: int) -> uvicorn.Config:
    """uvicorn on plain asyncio: starting a process from uvloop takes ten times as long. The client's address is
    told by accounts/client_ip.py, which knows the trusted proxies, and requests are logged by our own middleware."""
    return uvicorn.Config(
        "config.asgi:application",
        loop="asyncio",
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        workers=workers,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def main(descriptor: int, workers: int) -> None:
    listener = socket.socket(fileno=descriptor)
    config = configuration(workers)
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(os.environ.get("RUNCODE_WEB_WORKERS") or 1))
