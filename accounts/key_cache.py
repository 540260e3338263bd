"""What this process remembers of keys it has looked up, so that an accepted key costs one dictionary access.

Both memories are bounded, the oldest entry goes first. Guessed keys only ever fill the memory of unknown ones: they
cannot push an accepted key out.

A look-up that overlaps a revocation must not put the old state back: `store` takes the `generation` that was read
before the look-up began and stores nothing when something was forgotten since.
"""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from accounts.caller import Caller
from accounts.client_ip import Network
from accounts.restrictions import OriginRule

KNOWN_KEYS = 20_000
UNKNOWN_KEYS = 10_000
# A backstop for changes that nobody announces: a restored database, a row mended by hand, a command run without Redis.
KNOWN_SECONDS = 60.0
UNKNOWN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A key that exists. `expires_at` is Unix time in seconds, infinite for a key that does not expire."""

    caller: Caller
    networks: Sequence[Network] = ()
    origins: Sequence[OriginRule] = ()
    expires_at: float = math.inf
    revoked: bool = False
    fresh_until: float = field(default_factory=lambda: time.monotonic() + KNOWN_SECONDS)


class KeyCache:
    """Digest of a key to its `Entry`, or to None for a key known not to exist."""

    def __init__(self, *, known: int = KNOWN_KEYS, unknown: int = UNKNOWN_KEYS) -> None:
        self.generation = 0
        self._known_limit = known
        self._unknown_limit = unknown
        self._known: dict[str, Entry] = {}
        self._unknown: dict[str, float] = {}
        self._digests: dict[str, str] = {}
        self._writing = threading.Lock()

    def get(self, digest: str) -> Entry | None:
        """Raises KeyError when nothing (fresh) is remembered."""
        entry = self._known.get(digest)
        if entry is not None:
            if time.monotonic() < entry.fresh_until:
                return entry
        elif time.monotonic() < self._unknown.get(digest, 0):
            return None
        raise KeyError(digest)

    def store(self, digest: str, entry: Entry | None, *, generation: int) -> None:
        with self._writing:
            if generation != self.generation:
                return
            if entry is None:
                self._unknown.pop(digest, None)
                self._unknown[digest] = time.monotonic() + UNKNOWN_SECONDS
                if len(self._unknown) > self._unknown_limit:
                    del self._unknown[next(iter(self._unknown))]
                return
            self._drop(digest)
            self._unknown.pop(digest, None)
            self._known[digest] = entry
            self._digests[name_of(entry.caller)] = digest
            if len(self._known) > self._known_limit:
                self._drop(next(iter(self._known)))

    def forget(self, name: str) -> None:
        """Forgets the key of that `name_of`, and every guess: a new key may be one of them."""
        with self._writing:
            self.generation += 1
            self._unknown.clear()
            if digest := self._digests.get(name):
                self._drop(digest)

    def forget_everything(self) -> None:
        with self._writing:
            self.generation += 1
            self._known.clear()
            self._unknown.clear()
            self._digests.clear()

    def _drop(self, digest: str) -> None:
        if entry := self._known.pop(digest, None):
            self._digests.pop(name_of(entry.caller), None)


def name_of(caller: Caller) -> str:
    """How messages between processes call a key: `api:12`, `websocket:7`."""
    return f"{caller.kind}:{caller.key_id}"
