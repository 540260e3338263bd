"""`python -m execution.management.tether COMMAND…`: runs a command for as long as standard input stays open.

Under sudo a service cannot ask the kernel to die with its starter (the request is dropped when sudo changes the
user). A pipe survives that: whoever holds its other end need only die for the command to be ended.
"""

import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 20.0


def main(command: list[str]) -> int:
    """Returns the command's exit code, 128 + n if a signal ended it."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:

        def end(*_: object) -> None:
            process.terminate()
            threading.Timer(GRACE_SECONDS, process.kill).start()

        def watch() -> None:
            while sys.stdin.buffer.read(4096):
                pass
            end()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        threading.Thread(target=watch, daemon=True).start()
        code = process.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    # A timer left over would keep this process for seconds after the command's end.
    os._exit(main(sys.argv[1:]))
