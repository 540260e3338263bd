"""Which driver a host gets: native where it can be had, else Docker, else a refusal that names both remedies."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.sandbox import engine
from tests.sandbox.supervisors import PATIENCE, REPOSITORY


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "toolchains").mkdir()
    return tmp_path


def path_without(program: str, folder: Path) -> str:
    """A PATH on which everything is to be found but one program."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(":")):
        for entry in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / entry.name
            if entry.name != program and not link.is_symlink():
                link.symlink_to(entry)
    return str(folder)


def check(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m execution.sandbox --check`: one trial sandbox."""
    command = [sys.executable, "-m", "execution.sandbox", "--home", str(home), "--check"]
    # A bundle of certificates that the environment names would be believed in place of the Engine's own.
    unset = ("DOCKER_", "RUNCODE_", "REQUESTS_CA_", "CURL_CA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


def test_a_fit_host_has_native_sandboxes(home: Path) -> None:
    done = check(home)
    assert (done.returncode, "(native)" in done.stdout) == (0, True), done.stderr


def test_docker_is_taken_when_it_is_asked_for(home: Path, docker_engine: str) -> None:
    done = check(home, RUNCODE_SANDBOX_DRIVER="docker", DOCKER_HOST=docker_engine)
    assert (done.returncode, "(docker)" in done.stdout) == (0, True), done.stderr


def test_where_native_cannot_be_had_docker_is_taken_by_itself(home: Path, docker_engine: str) -> None:
    done = check(home, PATH=path_without("bwrap", home / "bin"), DOCKER_HOST=docker_engine)
    assert (done.returncode, "(docker)" in done.stdout) == (0, True), done.stderr
    assert "bubblewrap is missing" in done.stderr


def test_where_neither_can_be_had_both_remedies_are_named(home: Path) -> None:
    done = check(home, PATH=path_without("bwrap", home / "bin"), DOCKER_HOST=f"unix://{home}/none.sock")
    assert done.returncode == 1
    assert "apt-get install bubblewrap" in done.stderr
    assert "No Docker Engine answers" in done.stderr
    assert "DOCKER_HOST" in done.stderr
    assert "Traceback" not in done.stderr


def test_native_alone_does_not_fall_back(home: Path, docker_engine: str) -> None:
    path = path_without("bwrap", home / "bin")
    done = check(home, PATH=path, DOCKER_HOST=docker_engine, RUNCODE_SANDBOX_DRIVER="native")
    assert (done.returncode, "bubblewrap is missing" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RUNCODE_SANDBOX_DRIVER": "podman"}, "it may be auto, native, docker"),
        ({"RUNCODE_SANDBOX_DRIVER": "docker", "DOCKER_HOST": "ssh://example.com"}, "forward its socket"),
    ],
)
def test_what_cannot_be_is_said_in_words(home: Path, environment: dict[str, str], said: str) -> None:
    done = check(home, **environment)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (1, True, False), done.stderr


def test_an_unknown_runtime_is_refused(home: Path, docker_engine: str) -> None:
    done = check(
        home, RUNCODE_SANDBOX_DRIVER="docker", DOCKER_HOST=docker_engine, RUNCODE_DOCKER_RUNTIME="no-such-runtime"
    )
    assert done.returncode == 1
    assert "no OCI runtime no-such-runtime" in done.stderr


def test_a_real_engine_with_an_old_runc_is_refused(home: Path, docker_engine: str) -> None:
    """The tests' Engine has Debian's own runc too, under another name."""
    own = shutil.which("runc")
    assert own is not None
    if engine.is_safe(Path(own)):
        pytest.skip("this host's runc is a new one")
    done = check(
        home, RUNCODE_SANDBOX_DRIVER="docker", DOCKER_HOST=docker_engine, RUNCODE_DOCKER_RUNTIME=engine.HOSTS_RUNC
    )
    assert done.returncode == 1
    assert "Install runc 1.2.8" in done.stderr


# --- An Engine elsewhere ---


@asynccontextmanager
async def forwarded(engine: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The Engine at a port of this host, as if it were another's."""
    path = urlsplit(engine).path

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer))

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        with suppress(ConnectionError):
            target.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_an_engine_behind_tcp_is_used(home: Path, docker_engine: str) -> None:
    async with forwarded(docker_engine) as port:
        host = f"tcp://127.0.0.1:{port}"
        done = await asyncio.to_thread(check, home, RUNCODE_SANDBOX_DRIVER="docker", DOCKER_HOST=host)
    assert (done.returncode, "(docker)" in done.stdout) == (0, True), done.stderr


async def test_an_engine_behind_tls_is_used_by_who_has_its_certificates(home: Path, docker_engine: str) -> None:
    """One certificate for all: the authority's, the Engine's and the client's."""
    key, certificate = home / "key.pem", home / "cert.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *subject]
    await asyncio.to_thread(
        subprocess.run, [*openssl, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    shutil.copy(certificate, home / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate))
    tls.load_cert_chain(certificate, key)
    tls.verify_mode = ssl.CERT_REQUIRED
    async with forwarded(docker_engine, tls) as port:
        options = {"RUNCODE_SANDBOX_DRIVER": "docker", "DOCKER_HOST": f"tcp://127.0.0.1:{port}"}
        with_it = await asyncio.to_thread(check, home, **options, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(home))
        without = await asyncio.to_thread(check, home, **options)
    assert (with_it.returncode, "(docker)" in with_it.stdout) == (0, True), with_it.stderr
    assert (without.returncode, "No Docker Engine answers" in without.stderr) == (1, True)
