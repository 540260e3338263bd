"""The allow-list of `rules` as a BPF program for bubblewrap, assembled by libseccomp.

Only the host's native architecture is admitted: 32-bit and x32 calls are refused like every other that is not listed.
"""

import ctypes
import ctypes.util
import os
from pathlib import Path

from execution.sandbox.errors import SandboxUnavailable
from execution.sandbox.native.rules import DEFAULT_ERROR, Rule, rules

_ALLOW = 0x7FFF0000  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(x), the attributes and the comparisons: seccomp.h
_ACT_BADARCH = 2
# A search tree in place of a chain: when the filter is loaded the kernel walks it once for every call there is, which
# took a quarter of a millisecond of each sandbox.
_CTL_OPTIMIZE, _SEARCH_TREE = 8, 2


def _errno(code: int) -> int:
    return 0x00050000 | code


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp of seccomp.h."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


class _Filter:
    """A filter under construction; rules for calls that this architecture lacks are left out."""

    def __init__(self, default: int) -> None:
        name = ctypes.util.find_library("seccomp") or "libseccomp.so.2"
        try:
            self._library = ctypes.CDLL(name, use_errno=True)
        except OSError as error:
            raise SandboxUnavailable(
                f"libseccomp is missing ({error}). Install it: apt-get install libseccomp2"
            ) from None
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))
        self._set(_ACT_BADARCH, _errno(DEFAULT_ERROR))
        self._set(_CTL_OPTIMIZE, _SEARCH_TREE)

    def _set(self, attribute: int, value: int) -> None:
        self._check(self._library.seccomp_attr_set(self._context, attribute, ctypes.c_uint32(value)))

    def add(self, rule: Rule) -> None:
        number = self._library.seccomp_syscall_resolve_name(rule.call.encode())
        if number < 0:
            return
        comparisons = [_Comparison(c.argument, c.comparison, c.first, c.second) for c in rule.conditions]
        array = (_Comparison * len(comparisons))(*comparisons)
        action = _ALLOW if rule.error is None else _errno(rule.error)
        self._check(
            self._library.seccomp_rule_add_array(
                self._context, ctypes.c_uint32(action), number, ctypes.c_uint(len(comparisons)), array
            )
        )

    def export(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._check(self._library.seccomp_export_bpf(self._context, descriptor))
        finally:
            os.close(descriptor)
            self._library.seccomp_release(self._context)

    def _check(self, result: int) -> None:
        if result < 0:
            raise SandboxUnavailable(f"libseccomp refused the filter: {os.strerror(-result)}")


def write_filter(path: Path) -> None:
    """Writes the filter as raw BPF (struct sock_filter[]) to `path`, which bubblewrap reads with --seccomp."""
    build = _Filter(default=_errno(DEFAULT_ERROR))
    for rule in rules():
        build.add(rule)
    build.export(path)
