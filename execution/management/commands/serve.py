"""`./manage.py serve`: the sandbox supervisor and the web, in the foreground, until Ctrl-C or SIGTERM."""

import asyncio
import io
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from execution.catalogue import installed
from execution.environment import listen_address
from execution.management.children import Child, NeverReady

BACKLOG = 2048
# A client that takes nothing of what is waiting for it for so long is cut off: its connection, its buffers and whatever
# it was to be told would be kept for ever.
DEAF_SECONDS = 60
HELLO = {"compiler": "python-3.14", "code": "print(input()[::-1])", "input": "olleh"}


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CommandError, with what to do, when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it (tcp(7)).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAF_SECONDS * 1000)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}.\n"
            f"Stop what uses it (ss -ltnp 'sport = :{port}' names it), or take another port: PORT={port + 1}"
        ) from None
    listener.listen(BACKLOG)
    return listener


def supervisor_argv(home: str, uid: int) -> list[str]:
    """The supervisor needs root. Everybody else starts it through sudo, on a tether, and may then connect to it."""
    argv = [sys.executable, "-m", "execution.sandbox", "--home", home]
    if uid == 0:
        return argv
    return ["sudo", "-n", sys.executable, "-m", "execution.management.tether", *argv, "--owner", str(uid)]


def banner(demo: dict[str, str] | None, url: str) -> str:
    """What is printed once everything answers."""
    lines = ["", f"  Runcode is running at {url} (Ctrl-C stops it)", ""]
    if demo:
        rows = {
            "e-mail": demo["email"],
            "password": demo["password"],
            "API key": demo["api_key"],
            "WebSocket key": demo["websocket_key"],
        }
        lines += [f"    {name:<15}{value}" for name, value in rows.items()]
        call = (
            f"curl -X POST {url}/api/run-code-sync/ -H 'Authorization: {demo['api_key']}'"
            f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(HELLO))}"
        )
        lines += ["", "  Try it:", "", f"    {call}", ""]
    return "\n".join(lines) + "\n"


async def answers(host: str, port: int) -> bool:
    """Whether the web says at /healthz that it is well. Waits with its request in the listener's queue."""
    public = urlsplit(settings.PUBLIC_URL).netloc
    try:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"GET /healthz HTTP/1.1\r\nHost: {public}\r\nConnection: close\r\n\r\n".encode("ascii"))
            return b" 200 " in await reader.readline()
        finally:
            writer.close()
    except OSError:
        return False


async def accepts(path: str) -> bool:
    """Whether somebody listens on a Unix socket."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True


class Command(BaseCommand):
    help = "Runs the service in the foreground: the sandbox supervisor and the web. HOST and PORT say where."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="first bring the database and the static files up to date, make the demo account and print its keys",
        )
        parser.add_argument(
            "--web-only",
            action="store_true",
            help="start no sandbox supervisor: one runs as a service of its own (docs/deployment.md)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workers = settings.WEB_WORKERS
        if workers > 1 and not settings.REDIS_URL:
            raise CommandError("Several web processes share their limits through Redis: set REDIS_URL, or one worker.")
        try:
            host, port = listen_address()
        except ValueError as error:
            raise CommandError(str(error)) from None
        if not installed(settings.RUNCODE_HOME):
            self.say("No toolchain is installed, so nothing can run yet: ./manage.py toolchains install python-3.14")
        if not options["web_only"]:
            self._may_become_root()
        # Bound here and handed down: connections wait in its queue while the web process starts again.
        with listen(host, port) as listener:
            supervisors = [] if options["web_only"] else [self._supervisor()]
            code = asyncio.run(self._serve(listener, supervisors, prepare=options["demo"]))
        if code:
            sys.exit(code)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _may_become_root(self) -> None:
        if os.geteuid() == 0:
            return
        if not shutil.which("sudo"):
            raise CommandError("The sandbox supervisor needs root: run this as root, or install sudo.")
        # Asks for the password here, where somebody can type it, if one is needed.
        if subprocess.run(["sudo", "-v"], check=False).returncode:
            raise CommandError("The sandbox supervisor needs root, and sudo refused.")

    def _prepare(self) -> dict[str, str]:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        out = io.StringIO()
        call_command("demo", "--json", stdout=out)
        demo: dict[str, str] = json.loads(out.getvalue())
        return demo

    async def _serve(self, listener: socket.socket, supervisors: list[Child], *, prepare: bool) -> int:
        """Runs until a signal asks for the end, or something is wrong from the start. Returns the exit code."""
        webs = self._webs(listener)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        ending = asyncio.create_task(stopped.wait())
        life = asyncio.create_task(self._live(supervisors, webs, prepare=prepare))
        await asyncio.wait({ending, life}, return_when=asyncio.FIRST_COMPLETED)
        listener.close()
        if stopped.is_set():
            self.say("\nStopping …")
        # The web first: it finishes what it has begun, for which it needs the supervisor.
        await asyncio.gather(*(web.stop() for web in webs))
        await asyncio.gather(*(supervisor.stop() for supervisor in supervisors))
        ending.cancel()
        life.cancel()
        try:
            await life
        except* NeverReady as group:
            for error in group.exceptions:
                self.stderr.write(f"{error} What it said stands above.")
        except* asyncio.CancelledError:
            pass
        return 0 if stopped.is_set() else 1

    async def _live(self, supervisors: list[Child], webs: list[Child], *, prepare: bool) -> None:
        async with asyncio.TaskGroup() as group:
            for supervisor in supervisors:
                group.create_task(supervisor.keep())
            # While the supervisor makes its first sandboxes.
            demo = await asyncio.to_thread(self._prepare) if prepare else None
            for web in webs:
                group.create_task(web.keep())
            for child in (*supervisors, *webs):
                await child.served.wait()
            self.say(banner(demo, settings.PUBLIC_URL))

    def _supervisor(self) -> Child:
        socket_path = str(settings.RUNCODE_HOME / "run" / "sandbox.sock")
        uid = os.geteuid()
        return Child(
            name="sandbox supervisor",
            argv=supervisor_argv(str(settings.RUNCODE_HOME), uid),
            ready=lambda: accepts(socket_path),
            say=self.say,
            tethered=uid != 0,
            grace=25.0,
        )

    def _webs(self, listener: socket.socket) -> list[Child]:
        """The web processes. They share the listening socket, so that whichever is free takes the next connection."""
        host, port = listener.getsockname()[:2]
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with, not bound to
        return [
            Child(
                name="web process" if settings.WEB_WORKERS == 1 else f"web process {number}",
                argv=[sys.executable, "-m", "execution.management.web", str(listener.fileno())],
                ready=lambda: answers(reachable, port),
                say=self.say,
                # Absolute: children start in the clone, wherever we were started.
                env={"RUNCODE_HOME": str(settings.RUNCODE_HOME)},
                pass_fds=[listener.fileno()],
            )
            for number in range(1, settings.WEB_WORKERS + 1)
        ]
