"""Whether the toolchains' files are what was installed, read through the page cache and around it."""

from collections.abc import Collection
from pathlib import Path

from execution.toolchains import digests
from execution.toolchains.store import Store


def changes(home: Path, compilers: Collection[str] | None = None) -> list[str]:
    """What is not as it was installed, a sentence each, in the roots of `compilers`, or in all."""
    store = Store(home)
    roots = {
        Path(manifest.root).name for id_, manifest in store.manifests().items() if compilers is None or id_ in compilers
    }
    return [
        f"{record.root}: {change}"
        for record in store.all_records()
        if record.root in roots
        for change in digests.differences(store.roots / record.root, store.listing(record))
    ]
