"""A toolchain's root file system as an image of the Engine: imported once, found again by the root's name, which has
the digest of its content."""

import asyncio
import hashlib
import io
import logging
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound

from execution.sandbox.docker.container import RELAY
from execution.sandbox.docker.engine import Engine
from execution.sandbox.errors import SandboxError

log = logging.getLogger(__name__)

REPOSITORY = "runcode"
# On every image of ours, so that they can be told and pruned (docker image prune -a --filter label=runcode.root).
LABEL = "runcode.root"


class Images:
    """The images of one Engine, each with the relay (an executable of this host's architecture) in it."""

    def __init__(self, engine: Engine, relay: Path) -> None:
        self._engine = engine
        self._relay = relay.read_bytes()
        self._version = hashlib.sha256(self._relay).hexdigest()[:12]
        self._known: dict[Path, str] = {}
        # One import at a time: each fills the disk's and a core's time by itself.
        self._importing = asyncio.Lock()

    async def of(self, root: Path) -> str:
        """The name of the image of a root, which is made where it is not there yet."""
        if name := self._known.get(root):
            return name
        async with self._importing:
            if root not in self._known:
                self._known[root] = await self._engine.do(lambda api: self._find_or_make(api, root))
            return self._known[root]

    def _find_or_make(self, api: Any, root: Path) -> str:
        name = f"{REPOSITORY}/sandbox:{root.name}-{self._version}"
        if _exists(api, name):
            return name
        base = f"{REPOSITORY}/root:{root.name}"
        try:
            if not _exists(api, base):
                log.info("importing %s into the Docker Engine", root.name)
                _import(api, root, base)
            # In a layer of its own, so that a new relay does not have the root imported anew.
            self._add_relay(api, base, name, root)
        except (APIError, OSError) as error:
            raise SandboxError(f"The image of {root.name} could not be made: {error}") from error
        return name

    def _add_relay(self, api: Any, base: str, name: str, root: Path) -> None:
        container = api.create_container_from_config({"Image": base, "Entrypoint": [RELAY]})["Id"]
        try:
            api.put_archive(container, "/", _archive(RELAY.lstrip("/"), self._relay))
            repository, _, tag = name.rpartition(":")
            api.commit(container, repository=repository, tag=tag, changes=[f"LABEL {LABEL}={root.name}"])
        finally:
            api.remove_container(container, force=True)


def _exists(api: Any, name: str) -> bool:
    try:
        api.inspect_image(name)
    except ImageNotFound:
        return False
    return True


def _import(api: Any, root: Path, name: str) -> None:
    repository, _, tag = name.rpartition(":")
    command = ["tar", "--create", "--numeric-owner", "--owner=0", "--group=0", "--sort=name", "-C", str(root), "."]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None  # noqa: S101 (PIPE)
        api.import_image_from_stream(tar.stdout, repository=repository, tag=tag, changes=[f"LABEL {LABEL}={root.name}"])
    if tar.returncode != 0:
        api.remove_image(name)
        raise OSError(f"tar could not read {root}")


def _archive(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o555
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
