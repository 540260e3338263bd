"""What the sandbox itself refuses to start, whatever a surface let through."""

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.errors import SandboxError
from execution.sandbox.job import Job

OUTSIDE = ["../x", "/etc/x", "", ".", "..", "a/../../x", "a//b", "a/", "/", "a/./b", "x\0y", "d/" * 2048 + "x"]


def job(path: str = "main.py", **fields: object) -> Job:
    return Job("python-3.14", {"main.py": b"print(1)", path: b"print(1)"}, "main.py", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: repr(path)[:20])
async def test_file_names_that_lead_out_of_the_work_dir_are_refused(client: SandboxClient, path: str) -> None:
    with pytest.raises(SandboxError, match="The job was not started: the name of a file"):
        await client.run(job(path))


@pytest.mark.parametrize("path", ["-rf", "--help", "new\nline", "..x", "a/..b", "é/😀", " ", "a/" * 15 + "b"])
async def test_strange_names_that_stay_inside_are_taken_literally(client: SandboxClient, path: str) -> None:
    result = await client.run(job(path, output_files=(path,)))
    assert [file.path for file in result.files] == [path], result


@pytest.mark.parametrize(
    "fields",
    [{"args": ("a\0b",)}, {"env": {"A": "b\0c"}}, {"env": {"A\0": "b"}}, {"env": {"A=B": "c"}}, {"env": {"": "c"}}],
    ids=str,
)
async def test_words_that_the_kernel_would_cut_are_refused(client: SandboxClient, fields: dict[str, object]) -> None:
    with pytest.raises(SandboxError, match="The job was not started"):
        await client.run(job(**fields))


async def test_an_entrypoint_that_is_no_file_is_refused(client: SandboxClient) -> None:
    with pytest.raises(SandboxError, match="its entrypoint is not among its files"):
        await client.run(Job("python-3.14", {"main.py": b""}, "other.py"))


async def test_a_name_too_long_for_one_segment_is_no_run(client: SandboxClient) -> None:
    with pytest.raises(SandboxError, match="A file of the program could not be written: File name too long"):
        await client.run(job("x" * 256))
