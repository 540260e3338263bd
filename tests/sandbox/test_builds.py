"""Compiled programs are kept: for the same program of the same customer, and as the compiler made them."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from execution.sandbox import builds
from execution.sandbox.builds import Build, BuildCache, BuildFile, build_key, read_build
from execution.sandbox.client import SandboxClient
from execution.sandbox.job import Job, Limits, Outcome
from execution.sandbox.toolchain import Toolchain
from tests.sandbox import supervisors
from tests.sandbox.supervisors import RunningSupervisor


@pytest.fixture
def supervisor(every_supervisor: RunningSupervisor) -> RunningSupervisor:
    return every_supervisor


# Says when it was compiled, so that a build that was used again shows itself.
WHEN = b"""#include <stdio.h>
int main(void) { int c; printf("%s ", __DATE__ __TIME__); while ((c = getchar()) != EOF) putchar(c); return 0; }
"""
COMPILED = Toolchain(
    "c",
    Path("/roots/c-1"),
    "main.c",
    ("*.c",),
    ("cc", "-o", "/build/program", "{sources}"),
    ("/build/program",),
    False,
    {},
)
BUILD = Build(
    (BuildFile("program", "executable", b"\x7fELF"), BuildFile("a/b.txt", "file", b"")), b"main.c:1: warning\n"
)


def job(code: bytes = WHEN, **other: object) -> Job:
    return Job("gcc-15", {"main.c": code}, "main.c", **{"cache": "7", **other})  # type: ignore[arg-type]


def read(folder: Path) -> Build | None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return read_build(descriptor, b"")
    finally:
        os.close(descriptor)


# --- finding a build ---


def test_a_program_is_found_by_everything_that_it_is_compiled_from() -> None:
    key = build_key(job(), COMPILED)
    assert key == build_key(job(stdin=b"other", env={"A": "1"}, args=("x",)), COMPILED)
    others = [
        build_key(job(cache="8"), COMPILED),
        build_key(job(WHEN + b"\n"), COMPILED),
        build_key(replace(job(), files={"main.c": WHEN, "b.h": b""}), COMPILED),
        build_key(job(), replace(COMPILED, root=Path("/roots/c-2"))),
        build_key(job(), replace(COMPILED, compile=("cc", "-O2", "-o", "/build/program", "{sources}"))),
        build_key(job(), replace(COMPILED, env={"CPATH": "/opt"})),
    ]
    assert len({key, *others}) == 1 + len(others)


def test_files_for_the_program_alone_make_no_other_build() -> None:
    def key(data: bytes, *data_files: str) -> str | None:
        return build_key(replace(job(), files={"main.c": WHEN, "in.txt": data}, data_files=data_files), COMPILED)

    assert key(b"1", "in.txt") == key(b"2", "in.txt")
    assert key(b"1") != key(b"2")


def test_no_build_is_kept_of_interpreted_programs_nor_without_a_scope() -> None:
    assert build_key(job(), replace(COMPILED, compile=None)) is None
    assert build_key(job(cache=""), COMPILED) is None


# --- reading one ---


def test_a_tree_of_files_is_read_with_its_executable_bits(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"text")
    (tmp_path / "program").write_bytes(b"code")
    (tmp_path / "program").chmod(0o755)
    build = read(tmp_path)
    assert build is not None
    assert sorted(build.files, key=lambda file: file.path) == [
        BuildFile("a/b.txt", "file", b"text"),
        BuildFile("program", "executable", b"code"),
    ]


def test_a_link_is_kept_as_a_link_after_all_files(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/etc")
    (tmp_path / "b").touch()
    build = read(tmp_path)
    assert build is not None
    assert build.files == (BuildFile("b", "file", b""), BuildFile("a", "link", b"/etc"))


def test_a_tree_with_a_fifo_is_not_kept(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "program")
    assert read(tmp_path) is None


def test_a_tree_that_is_too_large_or_too_deep_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "deep"
    (deep / "/".join("d" * 20)).mkdir(parents=True)
    assert read(deep) is None
    sparse = tmp_path / "sparse"
    sparse.mkdir()
    with (sparse / "program").open("wb") as file:
        file.truncate(1 << 40)
    assert read(sparse) is None
    many = tmp_path / "many"
    many.mkdir()
    monkeypatch.setattr(builds, "MOST_FILES", 3)
    for number in range(4):
        (many / str(number)).touch()
    assert read(many) is None


# --- keeping it ---


async def test_a_build_outlives_the_process_that_kept_it(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    with cache.making("key") as keep:
        keep(BUILD)
    assert await cache.get("key") == BUILD
    await cache.close()
    assert await BuildCache(tmp_path).get("key") == BUILD
    assert await cache.get("other") is None


async def test_a_broken_file_is_no_build(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\0\0\0\x09\0\0\0\x05junk!")
    assert await BuildCache(tmp_path).get("key") is None


async def test_who_asks_meanwhile_waits_for_the_first_and_goes_on_without_when_it_fails(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    for kept in (BUILD, None):
        with cache.making(f"{kept is None}") as keep:
            waiting = asyncio.create_task(cache.get(f"{kept is None}"))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            if kept is not None:
                keep(kept)
        assert await waiting == kept
    await cache.close()


async def test_the_least_recently_used_goes_when_the_room_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "MOST_KEPT_BYTES", 4_000)
    cache = BuildCache(tmp_path)
    for number in range(8):
        with cache.making(str(number)) as keep:
            keep(Build((BuildFile("program", "executable", b"x" * 900),), b""))
        await cache.close()
        os.utime(tmp_path / str(number), (number, number))
    kept = {entry.name: entry.stat().st_size for entry in os.scandir(tmp_path)}
    assert sum(kept.values()) <= 4_000
    assert "7" in kept
    assert "0" not in kept


# --- with a real compiler ---


async def test_the_same_program_is_compiled_once_whatever_its_input(client: SandboxClient) -> None:
    code = b"// once\n" + WHEN
    first = await client.run(job(code, stdin=b"one"))
    await asyncio.sleep(1.1)  # __TIME__ has whole seconds
    second = await client.run(job(code, stdin=b"two"))
    assert (first.cached, second.cached) == (False, True)
    assert second.stdout == first.stdout.replace(b"one", b"two")
    assert (first.compile_seconds or 0) > 0
    assert second.compile_seconds == 0.0
    assert second.outcome is Outcome.SUCCESS


async def test_many_at_once_compile_once(client: SandboxClient) -> None:
    results = await asyncio.gather(*(client.run(job(b"// many\n" + WHEN)) for _ in range(8)))
    assert sum(not result.cached for result in results) == 1
    assert len({result.stdout for result in results}) == 1


async def test_nobody_gets_the_build_of_somebody_else(client: SandboxClient) -> None:
    code = b"// scope\n" + WHEN
    assert not (await client.run(job(code, cache="7"))).cached
    assert not (await client.run(job(code, cache="8"))).cached
    assert not (await client.run(job(code, cache=""))).cached


async def test_warnings_are_told_again_and_errors_are_not_kept(client: SandboxClient) -> None:
    warns = b'int main(void) { return *(int *)(char *)0 == (int)"text"; }'
    first, second = await client.run(job(warns)), await client.run(job(warns))
    assert second.cached
    assert b"warning" in first.compile_output
    assert first.compile_output == second.compile_output
    for _ in range(2):
        broken = await client.run(job(b"int main(void) { return x; }"))
        assert (broken.outcome, broken.cached) == (Outcome.COMPILE_ERROR, False)


async def test_what_the_program_does_to_its_build_is_not_kept(client: SandboxClient) -> None:
    code = b"""#include <stdio.h>
int main(void) {
    remove("/build/program");
    fputs("#!/bin/false", fopen("/build/program", "w"));
    puts("me");
}"""
    results = [await client.run(job(code)) for _ in range(2)]
    assert [(result.stdout, result.cached) for result in results] == [(b"me\n", False), (b"me\n", True)]


async def test_a_kept_program_has_its_limits(client: SandboxClient) -> None:
    code = b"int main(void) { for (;;) {} }"
    limits = Limits(wall_seconds=0.4)
    results = [await client.run(job(code, limits=limits)) for _ in range(2)]
    assert [(result.outcome, result.exit_code, result.cached) for result in results] == [
        (Outcome.TIME_LIMIT, 124, False),
        (Outcome.TIME_LIMIT, 124, True),
    ]


async def test_builds_are_still_there_after_a_restart() -> None:
    with supervisors.running() as supervisor:
        client = SandboxClient(supervisor.socket)
        await client.run(job())
        await client.aclose()
        supervisor.process.terminate()
        supervisor.process.wait(30)
        again: RunningSupervisor = supervisors.start(supervisor.home)
        try:
            client = SandboxClient(again.socket)
            assert (await client.run(job())).cached
            await client.aclose()
        finally:
            again.process.terminate()
            again.process.wait(30)
