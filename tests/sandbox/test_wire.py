"""Messages survive the way to the supervisor and back, in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.sandbox import wire
from execution.sandbox.errors import SandboxError, SandboxUnavailable, ToolchainMissing
from execution.sandbox.job import Job, Limits, Outcome, OutputFile, Result

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
jobs = st.builds(
    Job,
    compiler=texts,
    files=st.dictionaries(texts, st.binary(max_size=50), min_size=1, max_size=4),
    entrypoint=texts,
    stdin=st.binary(max_size=50),
    args=st.lists(texts, max_size=3).map(tuple),
    env=st.dictionaries(texts, texts, max_size=3),
    limits=st.builds(Limits, wall_seconds=st.floats(0.1, 30), memory_bytes=st.integers(1, 1 << 40)),
    output_files=st.lists(texts, max_size=3).map(tuple),
)
results = st.builds(
    Result,
    outcome=st.sampled_from(Outcome),
    exit_code=st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    stdout=st.binary(),
    stderr=st.binary(),
    stdout_truncated=st.booleans(),
    stderr_truncated=st.booleans(),
    wall_seconds=st.floats(0, 100),
    total_seconds=st.floats(0, 100),
    cpu_seconds=st.floats(0, 100),
    compile_seconds=st.none() | st.floats(0, 100),
    compile_output=st.binary(),
    memory_bytes=st.integers(0, 1 << 40),
    files=st.lists(
        st.builds(OutputFile, path=texts, size=st.integers(0, 1 << 60), content=st.binary()), max_size=3
    ).map(tuple),
)


def received(data: bytes, piece: int) -> list[wire.Message]:
    decoder = wire.Decoder()
    return [message for start in range(0, len(data), piece) for message in decoder.feed(data[start : start + piece])]


@given(jobs, st.integers(1, 100))
def test_a_job_arrives_as_it_was_sent(job: Job, piece: int) -> None:
    messages = received(wire.encode_job(job) * 2, piece)
    assert [wire.decode_job(message) for message in messages] == [job, job]


@given(results, st.integers(1, 100))
def test_a_result_arrives_as_it_was_sent(result: Result, piece: int) -> None:
    (message,) = received(wire.encode_result(result), piece)
    assert wire.decode_result(message) == result


@pytest.mark.parametrize("kind", [SandboxError, SandboxUnavailable, ToolchainMissing])
def test_an_error_keeps_its_kind_and_text(kind: type[SandboxError]) -> None:
    (message,) = received(wire.encode_error(kind("why")), 7)
    error = wire.decode_error(message)
    assert (type(error), str(error)) == (kind, "why")


@given(st.binary(min_size=8, max_size=64))
def test_nonsense_is_a_value_error_or_unfinished(data: bytes) -> None:
    try:
        messages = wire.Decoder().feed(data)
    except ValueError:
        return
    assert all(isinstance(message.kind, str) for message in messages)


@pytest.mark.parametrize("header", [b"[]", b"{}", b'{"kind": "run"}', b'{"kind": "run", "blobs": ["x"]}', b"\xff"])
def test_a_header_that_is_none_is_a_value_error(header: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any of them closes the connection)
        wire.Decoder().feed((4 + len(header)).to_bytes(4, "big") + len(header).to_bytes(4, "big") + header)
