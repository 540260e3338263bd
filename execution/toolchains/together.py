"""Several pieces of work at once, as many as there are processors."""

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from execution.toolchains import command
from execution.toolchains.errors import ToolchainError


def each(work: Mapping[str, Callable[[], None]]) -> dict[str, ToolchainError]:
    """Does every piece, the first ones first; returns what went wrong, by the work's name. Whatever else is raised, a
    Ctrl-C above all, ends the programs of all threads before it goes on."""
    futures: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for name, piece in work.items():
                futures[name] = pool.submit(piece)
            errors = {name: future.exception() for name, future in futures.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # Again and again: a thread may be between two programs.
            while any(future.running() for future in futures.values()):
                command.terminate_all()
                time.sleep(0.1)
            raise
    failed = {name: error for name, error in errors.items() if error is not None}
    for error in failed.values():
        if not isinstance(error, ToolchainError):
            raise error
    return {name: error for name, error in failed.items() if isinstance(error, ToolchainError)}
