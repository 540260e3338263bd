"""A network namespace that sandboxes have one after the other."""

import contextlib
import os

# What a program can leave in a namespace whose loopback is down: nothing but what is counted here (and, for a minute,
# flow labels). A program reads them too, so they would tell it what the one before it tried.
COUNTERS = ("snmp", "snmp6", "ip6_flowlabel")
_READ = 65536


class Network:
    """That of the process `pid`, in which no program has run yet. `descriptor` is for setns()."""

    def __init__(self, pid: int) -> None:
        self.descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._counters = []
        for name in COUNTERS:
            with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
                self._counters.append(os.open(f"/proc/{pid}/net/{name}", os.O_RDONLY | os.O_CLOEXEC))
        self._unused = self._counted()

    @property
    def used(self) -> bool:
        """Whether a program has tried to reach something."""
        return self._counted() != self._unused

    def close(self) -> None:
        for descriptor in (self.descriptor, *self._counters):
            os.close(descriptor)

    def _counted(self) -> list[bytes]:
        return [os.pread(descriptor, _READ, 0) for descriptor in self._counters]
