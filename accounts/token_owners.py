"""Whose a client token is: the account that it names, or the one among the live secrets that signed it.

A search tries one secret after the other, about a microsecond each. So that nobody keeps the processor busy by guessing
there is one search at a time, it lets others run in between, at most `MOST_SEARCHED` secrets are tried, and what was
found is remembered for good and ill. (How often an address may guess is limited by whoever asks.)

A secret that is replaced is forgotten in every process before its replacement is shown (broadcast topic
`account-secret`); while a process is not sure to hear of that, it asks the database about each token's account.
"""

import asyncio
import time
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from accounts import broadcast
from accounts.client_tokens import ClientToken
from accounts.models import Organisation
from accounts.organisations import SECRET_TOPIC

# The newest accounts; tokens of an installation with more name theirs, or come over its own host name.
MOST_SEARCHED = 10_000
# So many are tried before others of the event loop have their turn, about a third of a millisecond.
AT_ONCE = 250
KNOWN_TOKENS = 20_000
UNKNOWN_TOKENS = 10_000
# A backstop for changes that nobody announces, and how long a new account may go unseen, in seconds.
LOADED_SECONDS = 60.0
UNKNOWN_SECONDS = 5.0


class TokenOwners:
    """Tokens to the ids of their organisations, for one process."""

    def __init__(self) -> None:
        self._secrets: dict[int, str] = {}
        self._loaded_at = float("-inf")
        self._generation = 0
        # Until when (monotonic time) a token is known to be that organisation's, or nobody's.
        self._known: dict[ClientToken, tuple[int | None, float]] = {}
        self._unknown: dict[ClientToken, tuple[int | None, float]] = {}
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def owner_of(self, token: ClientToken, account_id: int | None = None) -> int | None:
        """The id of the organisation that made this token, None where none did. `account_id` is whose it is to be when
        the token itself does not tell. Does not look at its time."""
        account_id = account_id if token.account_id is None else token.account_id
        if self.remembers(token):
            owner, _ = self._known.get(token) or self._unknown[token]
        else:
            owner = await self._find(token, account_id)
        return owner if account_id in (None, owner) else None

    def remembers(self, token: ClientToken) -> bool:
        """Whether `owner_of` answers for this token without any work."""
        _, until = self._known.get(token) or self._unknown.get(token) or (None, 0.0)
        return broadcast.healthy and time.monotonic() < until

    def forget(self, key: str) -> None:
        """The secret of this organisation was replaced; or any may have been."""
        self._generation += 1
        self._loaded_at = float("-inf")
        self._known.clear()
        self._unknown.clear()
        if key == broadcast.EVERYTHING:
            self._secrets.clear()
        else:
            self._secrets.pop(int(key), None)

    async def _find(self, token: ClientToken, account_id: int | None) -> int | None:
        generation = self._generation
        owner = await (self._search(token) if account_id is None else self._try(token, account_id))
        if generation == self._generation:
            if owner is not None:
                _remember(self._known, token, owner, seconds=LOADED_SECONDS, most=KNOWN_TOKENS)
            elif account_id is None or token.account_id is not None:
                _remember(self._unknown, token, None, seconds=UNKNOWN_SECONDS, most=UNKNOWN_TOKENS)
        return owner

    async def _try(self, token: ClientToken, account_id: int) -> int | None:
        secret = await database_sync_to_async(_secret_of)(account_id)
        return account_id if secret is not None and token.signed_with(secret) else None

    async def _search(self, token: ClientToken) -> int | None:
        turn = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with turn:
            age = time.monotonic() - self._loaded_at
            owner = await self._among_loaded(token) if age < LOADED_SECONDS else None
            if owner is None and age >= UNKNOWN_SECONDS:
                await self._load()
                owner = await self._among_loaded(token)
        return owner if owner is None or broadcast.healthy else await self._try(token, owner)

    async def _among_loaded(self, token: ClientToken) -> int | None:
        for number, (owner, secret) in enumerate(list(self._secrets.items()), start=1):
            if token.signed_with(secret):
                # It may have been replaced while others had their turn.
                return owner if self._secrets.get(owner) == secret else None
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return None

    async def _load(self) -> None:
        generation = None
        while generation != self._generation:
            # Read before a secret was replaced, it must not come back after.
            generation = self._generation
            secrets = await database_sync_to_async(_newest)()
        self._secrets = secrets
        self._loaded_at = time.monotonic()


def _newest() -> dict[int, str]:
    return dict(Organisation.objects.order_by("-pk").values_list("pk", "secret")[:MOST_SEARCHED])


def _secret_of(account_id: int) -> str | None:
    return Organisation.objects.filter(pk=account_id).values_list("secret", flat=True).first()


def _remember(
    memory: dict[ClientToken, tuple[int | None, float]],
    token: ClientToken,
    owner: int | None,
    *,
    seconds: float,
    most: int,
) -> None:
    memory.pop(token, None)
    memory[token] = owner, time.monotonic() + seconds
    if len(memory) > most:
        del memory[next(iter(memory))]


_owners = TokenOwners()
owner_of = _owners.owner_of
remembers = _owners.remembers


def forget_everything() -> None:
    """Empties this process's memory of tokens and secrets."""
    _owners.forget(broadcast.EVERYTHING)


broadcast.subscribe(SECRET_TOPIC, _owners.forget)
