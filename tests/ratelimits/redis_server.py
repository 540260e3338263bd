"""A real Redis of the tests' own, on a Unix socket, with nothing on disk."""

import subprocess
import time
from pathlib import Path

import redis


class RedisServer:
    """Starts `redis-server` in `folder`; restart it (`kill`, `start`) and what it knew is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"

    def start(self) -> None:
        command = [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        self._process = subprocess.Popen([*command, "--appendonly", "no"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None
        self.socket.unlink(missing_ok=True)

    def stop(self) -> None:
        if self._process is not None:
            self.kill()

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def calls(self) -> dict[str, int]:
        """How often each command was called since the last `reset`, those within scripts included."""
        with self.client() as client:
            stats = client.info("commandstats")
        return {name.removeprefix("cmdstat_"): value["calls"] for name, value in stats.items()}

    def reset(self) -> None:
        """Empties it and zeroes the counts."""
        with self.client() as client:
            client.flushall()
            client.config_resetstat()

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
