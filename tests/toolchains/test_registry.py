"""Toolchains from an image registry: Debian's `docker-registry` on loopback, filled with a root."""

import hashlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from execution.toolchains.layers import docker
from execution.toolchains.layers.docker import DockerLayer
from tests.server import free_port
from tests.toolchains.conftest import Workshop, shell_files


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry of its own; `host:port`. It speaks plain HTTP, which skopeo has to be told."""
    address = f"127.0.0.1:{free_port()}"
    (tmp_path / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/images}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    configuration = tmp_path / ".config" / "containers"
    configuration.mkdir(parents=True)
    (configuration / "registries.conf").write_text(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(docker, "_silent", {})
    process = subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "registry.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while True:
        with suppress(OSError), urllib.request.urlopen(f"http://{address}/v2/"):
            break
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield address
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def _push(files: dict[str, bytes], image: str, scratch: Path) -> str:
    """Puts a root into the registry; the digest that the registry knows it by."""
    layout = scratch / "layout"
    for path, content in files.items():
        target = scratch / "tree" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o755)
    for argv in (
        ["umoci", "init", "--layout", str(layout)],
        ["umoci", "new", "--image", f"{layout}:latest"],
        ["umoci", "insert", "--rootless", "--image", f"{layout}:latest", str(scratch / "tree"), "/"],
        ["skopeo", "copy", f"oci:{layout}:latest", f"docker://{image}"],
    ):
        subprocess.run(argv, check=True, capture_output=True, env=os.environ)
    manifest = subprocess.run(["skopeo", "inspect", "--raw", f"docker://{image}"], check=True, capture_output=True)
    return f"sha256:{hashlib.sha256(manifest.stdout).hexdigest()}"


def _recipe(workshop: Workshop, image: str) -> None:
    """An image first, then the archive that the workshop's recipe has anyway, as a near version."""
    near = workshop.layer(workshop.archive("0.9"))
    text = f'[[source]]\n[[source.layer]]\nkind = "docker"\nimage = "{image}"\n'
    (workshop.recipe / "recipe.toml").write_text(f'{text}\n[[source]]\nstand_in = ["shout-1"]\n{near}')


def _toolchain(version: str) -> dict[str, bytes]:
    return {**shell_files(), "opt/version.sh": f"echo Shout {version}\n".encode()}


def test_an_image_is_installed_by_its_digest(workshop: Workshop, registry: str, tmp_path: Path) -> None:
    digest = _push(_toolchain("4.0"), f"{registry}/shout:4", tmp_path)
    _push(_toolchain("4.1"), f"{registry}/shout:4", tmp_path / "newer")
    _recipe(workshop, f"{registry}/shout:4@{digest}")

    assert workshop.install("shout-1") == []
    assert workshop.manifest().version == "4.0"
    assert workshop.manifest().stand_in is False
    (record,) = workshop.store.all_records()
    assert digest in record.contents


def test_a_tag_is_pinned_to_the_digest_that_it_has_at_installation(
    workshop: Workshop, registry: str, tmp_path: Path
) -> None:
    digest = _push(_toolchain("4.0"), f"{registry}/shout:4", tmp_path)
    _recipe(workshop, f"{registry}/shout:4")

    assert workshop.install("shout-1") == []
    (record,) = workshop.store.all_records()
    assert digest in record.contents


def test_where_the_registry_lacks_the_image_the_next_source_is_used(workshop: Workshop, registry: str) -> None:
    _recipe(workshop, f"{registry}/shout:4")

    assert workshop.install("shout-1") == []
    assert workshop.manifest().version == "0.9"
    assert workshop.manifest().stand_in is True


def test_a_digest_that_the_registry_does_not_have_is_refused(workshop: Workshop, registry: str, tmp_path: Path) -> None:
    _push(_toolchain("4.0"), f"{registry}/shout:4", tmp_path)
    image = DockerLayer(f"{registry}/shout:4@sha256:{'0' * 64}")

    assert "no registry answers for it" in str(image.unreachable(tmp_path))
    assert docker._silent == {}


def test_a_registry_that_is_silent_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "_silent", {})
    first = DockerLayer(f"127.0.0.1:{free_port()}/shout:4")
    reason = first.unreachable(tmp_path)
    assert reason is not None

    # Without skopeo nobody could be asked; for the other image of the same host nobody is.
    monkeypatch.setattr("execution.toolchains.command.run", lambda *args, **kwargs: json.loads("no call expected"))
    assert DockerLayer(f"{first.registry}/whisper:1").unreachable(tmp_path) == reason


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("ruby:4.0", "docker.io"),
        ("team/ruby:4.0", "docker.io"),
        ("mcr.example.com/dotnet/sdk:9.0", "mcr.example.com"),
        ("localhost/ruby", "localhost"),
        ("registry.example:5000/team/ruby:4.0@sha256:ab", "registry.example:5000"),
    ],
)
def test_the_registry_of_an_image(image: str, host: str) -> None:
    assert DockerLayer(image).registry == host
