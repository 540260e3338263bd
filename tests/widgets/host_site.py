"""Somebody else's web site, on a port of its own: the pages that carry widgets."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PAUSE = "\f"
PAUSE_SECONDS = 1.5


@dataclass
class HostSite:
    """`url` is its origin. `put` publishes a page and returns its address; at each `PAUSE` in it, it waits."""

    url: str = ""
    pages: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def put(self, body: str, *, head: str = "", headers: Mapping[str, str] | None = None) -> str:
        path = f"/{len(self.pages) + 1}.html"
        html = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>{head}</head>'
        self.pages[path] = (f"{html}<body>{body}</body></html>", headers or {})
        return self.url + path


@contextmanager
def host_site() -> Iterator[HostSite]:
    site = HostSite()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html, headers = site.pages.get(self.path, ("", {}))
            # Browsers ask for an icon by themselves; a missing one would be a complaint.
            self.send_response(200 if html else 204)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            for number, piece in enumerate(html.split(PAUSE)):
                time.sleep(PAUSE_SECONDS if number else 0)
                self.wfile.write(piece.encode())

        def log_message(self, *_arguments: object) -> None:
            """Nothing on the console."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
