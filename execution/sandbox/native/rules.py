"""The allow-list of `syscalls` as rules, with what some calls may have for arguments, in no library's own terms.

The kernel cuts most arguments to 32 bits, the filter compares 64. So a rule names what is *allowed* and leaves the rest
to fall through: a value with bits set above those that the kernel looks at is never mistaken for a harmless one.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from execution.sandbox.native import syscalls


class Comparison(IntEnum):
    """Named and numbered as in seccomp.h (enum scmp_compare)."""

    EQ = 4
    GT = 6
    MASKED_EQ = 7


@dataclass(frozen=True, slots=True)
class Condition:
    """On argument number `argument`, counted from 0. `second` is the value of MASKED_EQ, whose mask is `first`."""

    argument: int
    comparison: Comparison
    first: int
    second: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """`call` is allowed (`error` is None) or answered with `error` (0: done, though nothing is), where every condition
    holds. No two rules of one call that answer differently hold at once."""

    call: str
    error: int | None
    conditions: tuple[Condition, ...] = ()


# What a call is answered that no rule speaks of, one of another architecture included.
DEFAULT_ERROR = errno.ENOSYS

_INT, _ALL = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF

# The families a socket may have. Loopback is down in the sandbox, so nothing of AF_INET reaches anywhere.
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET = 1, 2, 5
SOCK_TYPE_MASK = 0xF
IPPROTO_DEFAULT, IPPROTO_TCP, IPPROTO_UDP = 0, 6, 17

# CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}: clone() is allowed without them; clone3() hides its flags behind a
# pointer and is answered ENOSYS, upon which C libraries call clone().
NAMESPACE_FLAGS = 0x80 | 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000

# personality() may only ask (0xFFFFFFFF) or set PER_LINUX and PER_LINUX32, with and without UNAME26.
PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

# asm-generic/resource.h. A limit of 1 on core dumps, which the driver sets, also keeps the kernel from starting the
# host's core-dump program (core(5)); a program that lowered it to 0 would get it started.
RLIMIT_CORE = 4

# fcntl.h. With O_DIRECT a program reads the host's disk as fast as the disk can; F_NOTIFY watches a folder, as inotify
# does.
O_DIRECT = 0o40000
F_SETFL, F_BASE, F_NOTIFY = 4, 1024, 1026
POSIX_FADV_DONTNEED = 4

# ioctl() is a thousand calls in one: those of terminals and plain descriptors (0x54..) and of sockets (0x89..) are
# allowed; the newer ones, with their size and direction in the upper half, are for devices and file systems.
TERMINALS, SOCKETS = 0x5400, 0x8900


def rules() -> Iterator[Rule]:
    for call in sorted(syscalls.ALLOWED):
        yield Rule(call, None)
    for call in sorted(syscalls.REFUSED):
        yield Rule(call, errno.EPERM)
    for call in sorted(syscalls.COPIES_BY_PAGE):
        yield Rule(call, errno.EINVAL)
    for call in sorted(syscalls.FLUSHES):
        yield Rule(call, 0)
    yield from _processes()
    yield from _sockets()
    yield from _limits()
    yield from _files()


def _equals(argument: int, value: int) -> Condition:
    return Condition(argument, Comparison.EQ, value)


def _bits(argument: int, mask: int, value: int) -> Condition:
    return Condition(argument, Comparison.MASKED_EQ, mask, value)


def _between(argument: int, low: int, high: int) -> Iterator[Condition]:
    """Conditions one of which holds where the whole argument, all 64 bits, is from `low` to `high`: one for each block
    of a power of two that begins at a multiple of its size."""
    while low <= high:
        size = low & -low or 1 << high.bit_length()
        while low + size - 1 > high:
            size //= 2
        yield _bits(argument, _ALL ^ (size - 1), low)
        low += size


def _processes() -> Iterator[Rule]:
    yield Rule("clone", None, (_bits(0, NAMESPACE_FLAGS, 0),))
    for flag in (1 << bit for bit in range(32) if NAMESPACE_FLAGS & (1 << bit)):
        yield Rule("clone", errno.EPERM, (_bits(0, flag, flag),))
    for persona in PERSONALITIES:
        yield Rule("personality", None, (_bits(0, _INT, persona),))


def _sockets() -> Iterator[Rule]:
    for kind in (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET):
        unix = (_equals(0, AF_UNIX), _bits(1, SOCK_TYPE_MASK, kind))
        yield Rule("socket", None, unix)
        yield Rule("socketpair", None, unix)
    for family in (AF_INET, AF_INET6):
        for kind, protocol in ((SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP)):
            for allowed in (IPPROTO_DEFAULT, protocol):
                yield Rule("socket", None, (_equals(0, family), _bits(1, SOCK_TYPE_MASK, kind), _equals(2, allowed)))


def _limits() -> Iterator[Rule]:
    """A program may ask for any limit and change its own, but that on core dumps. Init has the same user inside as the
    program, so the kernel would let it change init's limits too, down to what ends init."""
    for but_core in (*_between(0, 0, RLIMIT_CORE - 1), *_between(0, RLIMIT_CORE + 1, 15)):
        yield Rule("setrlimit", None, (but_core,))
    for but_core in (*_between(1, 0, RLIMIT_CORE - 1), *_between(1, RLIMIT_CORE + 1, 15)):
        yield Rule("prlimit64", None, (_equals(0, 0), but_core))
    yield Rule("prlimit64", None, (_equals(2, 0),))


def _files() -> Iterator[Rule]:
    for call, flags in (("open", 1), ("openat", 2)):
        yield Rule(call, None, (_bits(flags, O_DIRECT, 0),))
        yield Rule(call, errno.EINVAL, (_bits(flags, O_DIRECT, O_DIRECT),))
    for call in ("preadv2", "pwritev2"):  # their flags tell, and change, what is in the page cache
        yield Rule(call, None, (_equals(5, 0),))
    for harmless in (*_between(3, 0, POSIX_FADV_DONTNEED - 1), *_between(3, POSIX_FADV_DONTNEED + 1, 5)):
        yield Rule("fadvise64", None, (harmless,))
    yield Rule("fadvise64", 0, (_bits(3, _INT, POSIX_FADV_DONTNEED),))

    for low, high in ((0, F_SETFL - 1), (F_SETFL + 1, 63), (F_BASE, F_NOTIFY - 1), (F_NOTIFY + 1, F_BASE + 15)):
        for harmless in _between(1, low, high):
            yield Rule("fcntl", None, (harmless,))
    yield Rule("fcntl", None, (_bits(1, _INT, F_SETFL), _bits(2, O_DIRECT, 0)))
    yield Rule("fcntl", errno.EINVAL, (_bits(1, _INT, F_SETFL), _bits(2, O_DIRECT, O_DIRECT)))
    yield Rule("fcntl", errno.EINVAL, (_bits(1, _INT, F_NOTIFY),))

    for group in (TERMINALS, SOCKETS):
        for harmless in _between(1, group, group + 0xFF):
            yield Rule("ioctl", None, (harmless,))
    yield Rule("ioctl", errno.ENOTTY, (Condition(1, Comparison.GT, 0xFFFF),))
