"""A line to the service that a test can cut and mend: a port of its own, forwarded byte by byte."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread


class Line:
    """`url` is where the far end is reached, as long as the line is whole."""

    def __init__(self, listener: socket.socket, far_port: int) -> None:
        self._listener = listener
        self._far_port = far_port
        self._open: list[socket.socket] = []
        self._lock = Lock()
        self._whole = True
        self._flowing = Event()
        self._flowing.set()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def cut(self) -> None:
        """Breaks every connection; new ones break at once."""
        with self._lock:
            self._whole = False
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def mend(self) -> None:
        with self._lock:
            self._whole = True

    def hold(self) -> None:
        """Nothing comes through any more and nobody is told, as when a cable is drawn somewhere on the way."""
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                with self._lock:
                    if not self._whole:
                        near.close()
                        continue
                    far = socket.create_connection(("127.0.0.1", self._far_port))
                    self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line(listener, port)
        thread = Thread(target=line.serve)
        thread.start()
        try:
            yield line
        finally:
            line.release()
            line.cut()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
