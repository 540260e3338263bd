"""Layer `docker`: an image, fetched by skopeo and unpacked by umoci; no Engine is needed. Comes first in a source.

    kind = "docker"
    image = "ruby:4.0@sha256:…"           # from the default registry, or with a registry's name in front

An image without a digest is pinned to the one that the tag has at installation, which goes into the record. A
transport of skopeo's (`oci:/path:tag`, `docker-archive:/file`) may stand in front.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from execution.toolchains import command
from execution.toolchains.errors import InstallFailed, SourceUnreachable
from execution.toolchains.layers.base import Build, Layer, take

# The registry did not answer at all, as opposed to: it knows no such image.
SILENT = re.compile(r"no such host|dial tcp|i/o timeout|connection refused|no answer within|TLS handshake timeout")
# Registries that were silent: asked once in the life of this process, not again for every recipe.
_silent: dict[str, str] = {}

TRANSPORT = re.compile(r"(docker|oci|oci-archive|docker-archive|dir|containers-storage):")
ANSWER_SECONDS = 20


@dataclass(frozen=True)
class DockerLayer:
    image: str
    kind: ClassVar[str] = "docker"

    @classmethod
    def from_table(cls, table: dict[str, Any], folder: Path) -> Layer:
        return cls(**take(table, {"image": str}))

    @property
    def name(self) -> str:
        return f"image {self.image}"

    @property
    def reference(self) -> str:
        """The image as skopeo wants it: with a transport, and by digest alone where one is given (skopeo takes a tag
        or a digest, not both)."""
        if TRANSPORT.match(self.image):
            return self.image
        name, _, digest = self.image.partition("@")
        if digest:
            head, slash, tail = name.rpartition("/")
            name = head + slash + tail.partition(":")[0]
        return f"docker://{name}" + (f"@{digest}" if digest else "")

    @property
    def registry(self) -> str:
        """The host that the image comes from; the default registry is docker.io."""
        host, slash, _ = self.reference.removeprefix("docker://").partition("/")
        return host if slash and re.search(r"[.:]|^localhost$", host) else "docker.io"

    def unreachable(self, home: Path) -> str | None:
        for program in ("skopeo", "umoci"):
            if not shutil.which(program):
                return f"{program} is not installed (apt-get install skopeo umoci)"
        if said := _silent.get(self.registry):
            return said
        try:
            command.run(["skopeo", "inspect", "--raw", self.reference], timeout=ANSWER_SECONDS)
        except command.CommandFailed as error:
            reason = error.output.splitlines()[-1] if error.output else "no reason given"
            said = f"no registry answers for it ({reason})"
            if SILENT.search(reason):
                _silent[self.registry] = said
            return said
        return None

    def unpack(self, build: Build) -> str:
        if build.root.exists() and any(build.root.iterdir()):
            raise InstallFailed("a docker layer must be the first of its source")
        layout = build.scratch / "image"
        bundle = build.scratch / "bundle"
        build.show("downloading", self.name, 0.05)
        try:
            command.follow(
                ["skopeo", "copy", self.reference, f"oci:{layout}:root"],
                lambda line: build.show("downloading", line, 0.3),
                log=build.log,
                keep=build.lock,
            )
        except command.CommandFailed as error:
            raise SourceUnreachable(str(error)) from None
        build.show("unpacking", self.name, 0.6)
        command.follow(
            # Rootless, also for root: no owners are kept and no devices are made, neither of which a root may have.
            ["umoci", "unpack", "--rootless", "--image", f"{layout}:root", str(bundle)],
            lambda line: build.show("unpacking", line, 0.6),
            log=build.log,
            keep=build.lock,
        )
        if build.root.exists():
            build.root.rmdir()
        (bundle / "rootfs").rename(build.root)
        digest = json.loads((layout / "index.json").read_text(encoding="utf-8"))["manifests"][0]["digest"]
        return f"{self.image} ({digest})"
