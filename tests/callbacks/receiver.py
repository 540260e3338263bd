"""A customer's endpoint: a real web server that keeps what it is sent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.server import wait_until


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> Any:
        """The message, when the stock verifier finds its signature right; else its exception."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answer` is given each message and its number (from 0), and returns a status, or a status and headers."""

    url: str
    answer: Callable[[Received, int], int | tuple[int, dict[str, str]]]
    received: list[Received] = field(default_factory=list)

    def wait_for(self, number: int, patience: float = 60) -> list[Received]:
        wait_until(lambda: len(self.received) >= number, lambda: f"only {len(self.received)} arrived", patience)
        return self.received


@contextmanager
def receiving(
    answer: Callable[[Received, int], int | tuple[int, dict[str, str]]] = lambda _message, _number: 204,
) -> Iterator[Receiver]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                # Its sender was killed in the middle of it: that is no request.
                self.close_connection = True
                return
            message = Received(self.path, dict(self.headers), body)
            with lock:
                number = len(receiver.received)
                receiver.received.append(message)
            answered = receiver.answer(message, number)
            status, headers = answered if isinstance(answered, tuple) else (answered, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/results", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
