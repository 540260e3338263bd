"""What the Docker driver asks of an Engine before it starts anything on it, and of the trial container."""

import errno
import json
from typing import Any

import pytest

from execution.sandbox.docker.container import container_config, processors
from execution.sandbox.docker.proof import Report
from execution.sandbox.docker.proof import faults as proof_faults
from execution.sandbox.docker.requirements import faults, has_own_kernel, runc_is_safe
from execution.sandbox.docker.seccomp import profile
from execution.sandbox.native.rules import rules

INFO: dict[str, Any] = {
    "OSType": "linux",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
    "MemoryLimit": True,
    "SwapLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "DefaultRuntime": "runc",
    "Runtimes": {"runc": {"path": "runc"}, "crun": {"path": "/usr/bin/crun"}, "old": {"path": "/opt/runc-1.1"}},
}
VERSION = {"Components": [{"Name": "Engine", "Version": "28.5.2"}, {"Name": "runc", "Version": "1.3.3"}]}


def test_a_fit_engine_has_no_fault() -> None:
    assert faults(INFO, VERSION, None) == []


@pytest.mark.parametrize(
    "version", ["1.2.8", "1.2.9", "1.3.3", "1.3.6+ds1", "1.4.0-rc.3", "1.4.0", "1.5.0-rc.1", "v1.10.2", "2.0.0"]
)
def test_a_runc_with_the_fixes_is_taken(version: str) -> None:
    assert runc_is_safe(version)


@pytest.mark.parametrize(
    "version",
    [
        "1.1.5+ds1-1+deb12u1",
        "1.1.99",
        "1.2.7",
        "1.2.8-rc.1",
        "1.3.0",
        "1.3.2",
        "1.4.0-rc.2",
        "1.4.0-beta.1",
        "1.0.0",
        "",
    ],
)
def test_a_runc_without_them_is_not(version: str) -> None:
    assert not runc_is_safe(version)


def test_an_old_runc_is_refused_with_the_remedy() -> None:
    old = {"Components": [{"Name": "runc", "Version": "1.1.5+ds1"}]}
    (fault,) = faults(INFO, old, None)
    assert "runc 1.1.5+ds1 lets containers break out" in fault
    assert "Install runc 1.2.8" in fault


def test_another_runtime_is_not_measured_by_runcs_version() -> None:
    old = {"Components": [{"Name": "runc", "Version": "1.1.5"}]}
    assert faults(INFO, old, "crun") == []


def test_a_runc_whose_version_is_not_told_is_refused() -> None:
    (fault,) = faults(INFO, VERSION, "old")
    assert "does not tell the version of its runtime old" in fault


def test_newer_engines_tell_the_version_of_every_runtime() -> None:
    features = json.dumps({"annotations": {"org.opencontainers.runc.version": "1.3.4"}})
    told = {"old": {"path": "/opt/runc", "status": {"org.opencontainers.runtime-spec.features": features}}}
    assert faults(INFO | {"Runtimes": told}, VERSION, "old") == []


def test_an_unknown_runtime_is_named_with_those_that_there_are() -> None:
    (fault,) = faults(INFO, VERSION, "runsc")
    assert "no OCI runtime runsc (RUNCODE_DOCKER_RUNTIME); it has crun, old, runc" in fault


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SecurityOptions": ["name=apparmor"]}, "has no seccomp"),
        ({"MemoryLimit": False}, "cannot limit memory"),
        ({"SwapLimit": False}, "swapaccount=1"),
        ({"PidsLimit": False}, "cannot limit processes"),
        ({"CpuCfsQuota": False}, "cannot limit CPU time"),
        ({"OSType": "windows"}, "no Linux containers"),
    ],
)
def test_an_engine_without_a_limit_is_refused(change: dict[str, Any], said: str) -> None:
    (fault,) = faults(INFO | change, VERSION, None)
    assert said in fault


def test_kernels_of_their_own_are_told_by_the_runtimes_name() -> None:
    assert has_own_kernel(INFO, "runsc")
    assert not has_own_kernel(INFO, None)


# --- The container ---


def config(**other: Any) -> dict[str, Any]:
    return container_config(image="i", instance="home", work_bytes=1 << 20, seccomp="{}", cpus="", **other)


def test_everything_is_asked_for_that_closes_a_container() -> None:
    host = config()["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["NetworkMode"]) == (True, ["ALL"], "none")
    assert host["SecurityOpt"] == ["no-new-privileges:true", "seccomp={}"]
    assert host["Memory"] == host["MemorySwap"] == 512 << 20
    assert (host["PidsLimit"], host["CpuQuota"] / host["CpuPeriod"]) == (66, 2)
    assert all({"nosuid", "nodev"} <= set(options.split(",")) for options in host["Tmpfs"].values())
    assert "Runtime" not in host


def test_another_runtime_is_asked_for_by_name() -> None:
    assert config(runtime="runsc")["HostConfig"]["Runtime"] == "runsc"


def test_few_of_many_processors_are_offered_and_they_are_spread() -> None:
    assert processors(0, 8) == ""
    assert processors(0, 20) == "0,1,2,3,4,5,6,7"
    assert processors(2, 20) == "16,17,18,19,0,1,2,3"


def test_the_profile_says_what_the_native_filter_says() -> None:
    entries = json.loads(profile())["syscalls"]
    for rule in rules():
        conditions = [(c.argument, f"SCMP_CMP_{c.comparison.name}", c.first, c.second) for c in rule.conditions]
        assert [
            entry.get("errnoRet")
            for entry in entries
            if rule.call in entry["names"]
            and [(a["index"], a["op"], a["value"], a["valueTwo"]) for a in entry["args"]] == conditions
        ] == [rule.error]
    (absent,) = [entry for entry in entries if "clone3" in entry["names"]]
    assert (absent["errnoRet"], absent["args"]) == (errno.ENOSYS, [])


# --- The trial container ---

CLOSED = (
    """file /proc/self/status
\tUid:\t1000\t1000\t1000\t1000
\tGid:\t1000\t1000\t1000\t1000
\tGroups:\t
\tNoNewPrivs:\t1
\tSeccomp:\t2
\tCapInh:\t0000000000000000
\tCapPrm:\t0000000000000000
\tCapEff:\t0000000000000000
\tCapBnd:\t0000000000000000
\tCapAmb:\t0000000000000000

file /proc/self/mountinfo
"""
    + "".join(
        f"\t9 8 0:5 / {point} rw,nosuid - tmpfs tmpfs rw,size=64k\n"
        for point in ("/work", "/build", "/tmp", "/var/tmp", "/dev/shm")
    )
    + """
file /proc/net/dev
\tInter-| Receive
\t face |bytes
\t    lo:       0

file /sys/fs/cgroup/memory.max
\t536870912

file /sys/fs/cgroup/memory.swap.max
\t0

file /sys/fs/cgroup/memory.peak
\t4096

file /sys/fs/cgroup/pids.max
\t66

file /sys/fs/cgroup/cpu.max
\t200000 100000

try a mount 1
try BPF 38
"""
)


def faults_of(text: str, *, own_kernel: bool = False) -> list[str]:
    return proof_faults(Report.parse(text), own_kernel=own_kernel)


def test_a_closed_container_has_no_fault() -> None:
    assert faults_of(CLOSED) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("try a mount 1", "try a mount 0", "a program in it may do this: a mount"),
        ("Uid:\t1000", "Uid:\t0", "it runs as root"),
        ("CapEff:\t0000000000000000", "CapEff:\t00000000a80425fb", "it holds capabilities"),
        ("Seccomp:\t2", "Seccomp:\t0", "no system-call filter"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "it may gain privileges"),
        ("    lo:       0", "    lo:       0\n\t  eth0:       0", "it has network devices"),
        ("/work rw,nosuid - tmpfs tmpfs rw,size=64k", "/work rw,nosuid - tmpfs tmpfs rw", "/work is not capped"),
        ("memory.max\n\t536870912", "memory.max\n\tmax", "its memory is not limited"),
        ("memory.swap.max\n\t0", "memory.swap.max\n\tmax", "its swap is not limited"),
        ("pids.max\n\t66", "pids.max\n\tmax", "its processes are not limited"),
        ("cpu.max\n\t200000", "cpu.max\n\tmax", "its CPU time is not limited"),
        ("memory.peak\n", "memory.other\n", "its peak of memory is not counted"),
    ],
)
def test_an_open_end_is_found(before: str, after: str, said: str) -> None:
    assert before in CLOSED
    (fault,) = faults_of(CLOSED.replace(before, after))
    assert said in fault


def test_a_kernel_of_its_own_keeps_some_things_to_itself() -> None:
    assert faults_of(CLOSED.replace("Seccomp:\t2", "Seccomp:\t0"), own_kernel=True) == []
    assert faults_of(CLOSED.replace("try BPF 38", "try BPF 0"), own_kernel=True) != []


def test_a_probe_that_said_nothing_proves_nothing() -> None:
    assert faults_of("") == ["the program in it did not run"]
