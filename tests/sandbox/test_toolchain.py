"""Commands are built purely from a manifest."""

import json
from pathlib import Path

import pytest

from execution.sandbox.errors import SandboxError, ToolchainMissing
from execution.sandbox.native.commands import sandbox_command
from execution.sandbox.template import environment
from execution.sandbox.toolchain import Toolchains

MANIFEST = {
    "id": "c",
    "root": "/roots/c",
    "file_name": "main.c",
    "sources": ["*.c", "*.cc"],
    "compile": ["cc", "-o", "/build/program", "{sources}", "-lm"],
    "run": ["/build/program", "{entrypoint}"],
    "hot": False,
    "env": {"PATH": "/usr/bin"},
}


@pytest.fixture
def toolchains(tmp_path: Path) -> Toolchains:
    (tmp_path / "compilers").mkdir()
    (tmp_path / "compilers" / "c.json").write_text(json.dumps(MANIFEST))
    return Toolchains(tmp_path)


def test_sources_are_the_entrypoint_first_and_then_all_that_match(toolchains: Toolchains) -> None:
    command = toolchains.get("c").compile_command(entrypoint="b.c", files=["a.c", "b.c", "d/e.cc", "note.txt", "-x.c"])
    assert command == ["cc", "-o", "/build/program", "b.c", "a.c", "d/e.cc", "./-x.c", "-lm"]


def test_arguments_follow_the_run_command(toolchains: Toolchains) -> None:
    command = toolchains.get("c").run_command(entrypoint="-b.c", files=[], args=["-rf", "{entrypoint}"])
    assert command == ["/build/program", "./-b.c", "-rf", "{entrypoint}"]


def test_a_manifest_that_changed_is_read_again(toolchains: Toolchains, tmp_path: Path) -> None:
    assert toolchains.get("c").hot is False
    path = tmp_path / "compilers" / "c.json"
    path.write_text(json.dumps(MANIFEST | {"hot": True, "compile": None}))
    assert toolchains.get("c").hot is True
    assert toolchains.get("c").compile_command(entrypoint="a", files=[]) is None
    path.unlink()
    with pytest.raises(ToolchainMissing):
        toolchains.get("c")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "c"}'])
def test_a_broken_manifest_is_named(toolchains: Toolchains, tmp_path: Path, text: str) -> None:
    (tmp_path / "compilers" / "d.json").write_text(text)
    with pytest.raises(SandboxError, match=r"d\.json cannot be read"):
        toolchains.get("d")


def test_the_sandbox_command_shares_nothing_and_caps_what_it_mounts() -> None:
    command = sandbox_command(root=Path("/roots/c"), devices=Path("/devices"), work_bytes=1000)
    flags = {word for word in command if word.startswith("--")}
    assert {"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup"} <= flags
    assert {"--die-with-parent", "--clearenv", "--seccomp", "--disable-userns", "--as-pid-1"} <= flags
    assert command[command.index("--ro-bind") + 1 :][:2] == ["/roots/c", "/"]
    assert all(command[i - 2] == "--size" for i, word in enumerate(command) if word == "--tmpfs")
    assert command[command.index("/work") - 2 : command.index("/work") + 1] == ["1000", "--tmpfs", "/work"]


def test_the_environment_is_the_toolchains_and_the_jobs_only() -> None:
    assert environment({"PATH": "/bin"}, {"PATH": "mine", "A": "b"}) == {
        "HOME": "/work", "TMPDIR": "/tmp", "USER": "runner", "LANG": "C.UTF-8", "PATH": "mine", "A": "b"
    }  # fmt: skip
