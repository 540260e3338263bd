"""`python -m execution.sandbox --home FOLDER` serves; with `--check` it only tries whether this host can."""

import argparse
import asyncio
import ctypes
import gc
import logging
import os
import pwd
import resource
import signal
import sys
from pathlib import Path

from execution.sandbox.choice import DRIVERS, driver_named
from execution.sandbox.driver import Driver
from execution.sandbox.errors import SandboxUnavailable
from execution.sandbox.supervisor import Supervisor, claim

M_MMAP_THRESHOLD = -3  # malloc.h
OPEN_FILES = 65536


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m execution.sandbox", description="The sandbox supervisor.")
    parser.add_argument("--home", type=Path, required=True, help="the installation's folder (RUNCODE_HOME)")
    parser.add_argument("--toolchains", type=Path, help="where they are installed (default: toolchains in the home)")
    parser.add_argument("--owner", type=_user_id, help="user (name or number) that may connect, when not root")
    parser.add_argument(
        "--driver",
        default=os.environ.get("RUNCODE_SANDBOX_DRIVER") or "auto",
        help=f"{', '.join(DRIVERS)} (default: RUNCODE_SANDBOX_DRIVER, else auto)",
    )
    parser.add_argument(
        "--ready",
        type=_names,
        default=os.environ.get("RUNCODE_READY") or "all",
        help="compilers whose sandboxes are made ahead: ids and commas, or all (default: RUNCODE_READY, else all)",
    )
    parser.add_argument("--check", action="store_true", help="try one sandbox, say what is missing, and end")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s supervisor %(levelname)s %(message)s")
    home: Path = options.home.resolve()
    toolchains = (options.toolchains or home / "toolchains").resolve()
    try:
        driver = driver_named(options.driver, home=home, toolchains=toolchains)
        claim(home)
        driver.prepare()
        _raise_open_files()
        supervisor = Supervisor(home=home, toolchains=toolchains, driver=driver, ready=options.ready)
        asyncio.run(_check(driver) if options.check else _serve(supervisor, options.owner))
    except SandboxUnavailable as error:
        print(f"The sandbox cannot run on this host.\n{error}", file=sys.stderr)  # noqa: T201 (a command's answer)
        return 1
    return 0


def _raise_open_files() -> None:
    """Every sandbox that runs or waits takes about a dozen descriptors; shells commonly allow 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _names(text: str) -> frozenset[str] | None:
    """None for all."""
    return None if text == "all" else frozenset(name.strip() for name in text.split(","))


def _user_id(text: str) -> int:
    try:
        return int(text) if text.isdigit() else pwd.getpwnam(text).pw_uid
    except KeyError:
        raise argparse.ArgumentTypeError(f"there is no user {text}") from None


async def _check(driver: Driver) -> None:
    await driver.start()
    await driver.stop()
    print(f"This host can run sandboxes ({driver.name}): a trial one was inspected and is closed.")  # noqa: T201 (a command's answer)


async def _serve(supervisor: Supervisor, owner: int | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    # Large buffers go back to the kernel when they are freed, so that one large run does not swell the supervisor.
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 256 * 1024)
    # What lives as long as the process need not be looked through again for garbage.
    gc.freeze()
    await supervisor.serve(stopped, owner=owner)


if __name__ == "__main__":
    sys.exit(main())
