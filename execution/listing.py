"""The compilers as clients are told of them: `GET /api/compilers/`, and the MCP tool that lists them."""

from typing import Any

from django.conf import settings

from execution.catalogue import COMPILERS, Compiler, Manifest, installed


def listed_compilers() -> list[dict[str, Any]]:
    """Every compiler of the catalogue, each with whether it can run here now; the fields stand in docs/api.md."""
    manifests = installed(settings.RUNCODE_HOME)
    return [_listed(compiler, manifests.get(compiler.id)) for compiler in COMPILERS.values()]


def _listed(compiler: Compiler, manifest: Manifest | None) -> dict[str, Any]:
    return {
        "id": compiler.id,
        "language": compiler.language,
        "name": compiler.name,
        "version": manifest.version if manifest else None,
        "stand_in": manifest.stand_in if manifest else False,
        "available": manifest is not None,
        "file_name": compiler.file_name,
        "editor_mode": compiler.editor_mode,
        "sample": compiler.sample,
        "stateful": compiler.stateful,
    }
