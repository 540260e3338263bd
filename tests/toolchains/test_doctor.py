"""The doctor: what it finds wrong, and the command that mends it."""

import ast
import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from execution import doctor, host_checks, host_needs, host_packages
from execution.host_findings import Finding
from execution.host_needs import Need
from execution.toolchains.progress import Progress

REPOSITORY = Path(__file__).parents[2]
FIRST_VERSION = "cgroup /sys/fs/cgroup/{0} cgroup rw,{0} 0 0\n"


def test_an_old_python_is_told_with_the_version_to_get() -> None:
    assert host_checks.check_python((3, 9, 2)) == Finding(
        "Python", "3.9.2 is too old", "install Python 3.11 or newer, then: make PYTHON=python3.11 run"
    )
    assert host_checks.check_python((3, 13, 0)).remedy is None


@pytest.mark.parametrize(
    ("uid", "command"), [(0, "apt-get install bubblewrap"), (1000, "sudo apt-get install bubblewrap")]
)
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, uid: int, command: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    need = Need("bubblewrap", "holds programs", lambda: False)

    (finding,) = host_needs.check_needs((need,))
    assert finding == Finding("bubblewrap", "missing (holds programs)", command, ("bubblewrap",))


def test_what_is_there_is_not_asked_for() -> None:
    (finding,) = host_needs.check_needs((Need("bash", "a shell", host_needs._command("nothing-such", "sh")),))

    assert finding.remedy is None
    assert host_needs._file("etc/nothing-such", "etc/os-releas?")()
    assert not host_needs._file("etc/nothing-such")()
    assert host_needs._library("libc.so.6")()
    assert not host_needs._library("libnothing-such.so.1")()


def test_first_version_cgroups_are_enough() -> None:
    mounts = "".join(FIRST_VERSION.format(name) for name in ("memory", "pids", "cpu"))

    assert host_checks.check_cgroups(mounts).detail == "v1 with memory, pids, cpu"


def test_controllers_mounted_together_count_each() -> None:
    mounts = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n" + FIRST_VERSION.format("memory")
    finding = host_checks.check_cgroups(mounts)

    assert finding.detail == "without pids"
    assert finding.remedy is not None
    assert finding.remedy.endswith("mkdir -p /sys/fs/cgroup/pids && mount -t cgroup -o pids cgroup /sys/fs/cgroup/pids")


def test_second_version_cgroups_are_enough(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")

    assert host_checks.check_cgroups(f"cgroup2 {tmp_path} cgroup2 rw 0 0\n").detail == "v2 with memory, pids, cpu"


def test_read_only_cgroups_of_a_container_are_told() -> None:
    finding = host_checks.check_cgroups("cgroup2 /sys/fs/cgroup cgroup2 ro,nosuid 0 0\n")

    assert finding.detail == "/sys/fs/cgroup is read-only"
    assert "mount -o remount,rw /sys/fs/cgroup" in str(finding.remedy)


def test_a_kernel_without_the_memory_controller_needs_a_boot_parameter(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu pids\n")
    finding = host_checks.check_cgroups(f"cgroup2 {tmp_path} cgroup2 rw 0 0\n")

    assert finding.detail == "without memory"
    assert "cgroup_enable=memory" in str(finding.remedy)


@pytest.mark.parametrize(
    ("uid", "name", "value", "detail"),
    [
        (0, "user/max_user_namespaces", "0", "switched off"),
        (1000, "kernel/unprivileged_userns_clone", "0", "for root only"),
        (1000, "kernel/apparmor_restrict_unprivileged_userns", "1", "held back by AppArmor"),
    ],
)
def test_a_switch_that_forbids_user_namespaces_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, name: str, value: str, detail: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(value)
    finding = host_checks.check_user_namespaces(tmp_path)

    assert finding.detail == detail
    assert f"sysctl -w {name.replace('/', '.')}=" in str(finding.remedy)


def test_a_taken_port_is_told_with_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        monkeypatch.setenv("HOST", "127.0.0.1")
        finding = host_checks.check_port()

    assert finding.detail == f"127.0.0.1:{port} cannot be used: Address already in use"
    assert str(finding.remedy).endswith(f"PORT={port + 1} make run")
    assert host_checks.check_port().remedy is None


def test_a_port_that_is_no_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "70000")

    assert host_checks.check_port().detail == "PORT is 70000; a port is a number from 1 to 65535"


def test_a_full_disk_is_told_for_a_home_that_is_not_made_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host_checks.check_disk(tmp_path / "not" / "yet").remedy is None
    monkeypatch.setattr(host_checks, "FREE_BYTES", 1 << 60)

    assert "RUNCODE_HOME=/path make run" in str(host_checks.check_disk(tmp_path / "not" / "yet").remedy)


def test_the_report_ends_with_one_command_for_all_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    findings = [Finding("Python", "3.11.2"), *(host_needs.check_needs((_absent("one"), _absent("two"))))]
    said: list[str] = []

    assert doctor.report(findings, said.append, brief=False) == 1
    text = "".join(said)
    assert "  ok  Python                  3.11.2\n" in text
    assert "  NO  one                     missing (for tests)\n      mend it: apt-get install one\n" in text
    assert "  All packages at once: apt-get install one two\n" in text
    assert text.endswith("  2 to mend before this host is fit.\n")


def _absent(name: str) -> Need:
    return Need(name, "for tests", lambda: False)


def test_without_apt_the_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    failure = host_packages.mend(list(host_needs.check_needs((_absent("one"), _absent("two")))), Progress())

    assert failure == "apt-get is not here: this host is no Debian; install by your own means: one two"


def test_this_host_is_fit_and_a_brief_doctor_says_only_that(tmp_path: Path) -> None:
    """Started as a file, on a Python without a single package, in another directory: as `make run` does it first."""
    answer = subprocess.run(
        [sys.executable, "-S", str(REPOSITORY / "execution" / "doctor.py"), "--brief", "--no-port"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "RUNCODE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "  This host is fit.\n", "")


def test_the_doctor_and_what_it_imports_can_be_read_by_old_pythons() -> None:
    """An old Python must get as far as being told that it is too old."""
    imported = ("doctor", "environment", "host_checks", "host_findings", "host_needs", "host_packages")
    for name in ("__init__", *imported, "toolchains/__init__", "toolchains/progress"):
        ast.parse((REPOSITORY / "execution" / f"{name}.py").read_text(), feature_version=(3, 7))


def test_apt_is_followed_to_its_end() -> None:
    out = io.StringIO()

    assert host_packages._apt_get(Progress(out), "--simulate", "install", "dash") is None
    failure = host_packages._apt_get(Progress(out), "--simulate", "install", "runcode-nothing-such")
    assert failure is not None
    assert "Unable to locate package runcode-nothing-such" in failure
