"""The rules of `native.rules` as a profile for Docker Engines (docs.docker.com/engine/security/seccomp)."""

import json
from collections import defaultdict
from typing import Any

from execution.sandbox.native.rules import DEFAULT_ERROR, Condition, rules

# What is neither allowed nor refused does not exist (ENOSYS), so that C libraries take their fall-backs. Engines before
# 23.0 know no such default and would answer EPERM, so the calls that there are today are named.
ABSENT = frozenset(
    """
    _sysctl afs_syscall clone3 create_module fanotify_mark file_getattr file_setattr get_kernel_syms getpmsg getxattrat
    io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit io_uring_enter io_uring_register io_uring_setup
    listmount listxattrat lsm_get_self_attr lsm_list_modules lsm_set_self_attr memfd_secret modify_ldt nfsservctl
    open_tree_attr putpmsg query_module removexattrat seccomp security set_mempolicy_home_node setxattrat statmount
    sysfs tuxcall uselib ustat vserver
    """.split()
)


def profile() -> str:
    """The JSON text of the profile: the same calls with the same answers as the native driver's filter."""
    alike: dict[tuple[int | None, tuple[Condition, ...]], list[str]] = defaultdict(list)
    for rule in rules():
        alike[rule.error, rule.conditions].append(rule.call)
    spoken_of = {call for calls in alike.values() for call in calls}
    alike[DEFAULT_ERROR, ()] += ABSENT - spoken_of
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": DEFAULT_ERROR,
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
            "syscalls": [_entry(calls, error, conditions) for (error, conditions), calls in alike.items()],
        }
    )


def _entry(calls: list[str], error: int | None, conditions: tuple[Condition, ...]) -> dict[str, Any]:
    answer = {"action": "SCMP_ACT_ALLOW"} if error is None else {"action": "SCMP_ACT_ERRNO", "errnoRet": error}
    return {
        "names": sorted(calls),
        **answer,
        "args": [
            {
                "index": condition.argument,
                "op": f"SCMP_CMP_{condition.comparison.name}",
                "value": condition.first,
                "valueTwo": condition.second,
            }
            for condition in conditions
        ],
    }
