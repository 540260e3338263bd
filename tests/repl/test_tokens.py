"""Tokens: their shape, their time, whose they are, and that guessing gets nobody anywhere."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import pytest
from channels.db import database_sync_to_async
from hypothesis import given
from hypothesis import strategies as st

from accounts import token_owners
from accounts.client_tokens import LIFETIME_MS, SKEW_MS, make_client_token, parse_client_token
from accounts.keys import make_account_secret
from accounts.organisations import rotate_account_secret
from accounts.token_owners import TokenOwners
from billing.metering import metering_service
from config.errors import ApiError
from execution.repl import access
from execution.repl.access import WRONG_AT_ONCE, caller_of, check_again
from tests.cast import Cast
from tests.repl.conftest import new_token

SCOPE = {"client": ("192.0.2.1", 1), "headers": []}


@pytest.fixture
async def people(cast: Cast) -> AsyncIterator[Cast]:
    async with metering_service():
        yield cast
    access._kept_out.clear()


async def refusal(text: str, scope: dict[str, object] | None = None) -> str:
    with pytest.raises(ApiError) as caught:
        await caller_of(text, scope or SCOPE)
    return caught.value.code


# --- what a token is ---


@given(
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.integers(0, 10**16 - 1),
    st.none() | st.integers(0, 10**18 - 1),
)
def test_what_is_made_is_read_again(secret: str, created: int, account_id: int | None) -> None:
    token = parse_client_token(make_client_token(secret=secret, created_ms=created, account_id=account_id))
    assert token is not None
    assert (token.created, token.account_id) == (str(created), account_id)
    assert token.signed_with(secret)
    assert not token.signed_with(f"{secret}x")


@given(st.text(max_size=200))
def test_nothing_else_is_a_token_and_nothing_breaks(text: str) -> None:
    assert parse_client_token(text) is None


@given(st.integers(0, 10**13), st.integers(0, 43), st.sampled_from("ABCXYZabcxyz019+/=: \n"))
def test_one_other_character_is_another_token(created: int, place: int, character: str) -> None:
    text = make_client_token(secret="s", created_ms=created)
    mac = text.index(":") + 1
    changed = text[: mac + place] + character + text[mac + place + 1 :]
    token = parse_client_token(changed)
    assert changed == text or token is None or not token.signed_with("s")


def test_it_is_what_the_contract_says() -> None:
    mac = base64.b64encode(hmac.new(b"secret", b"1700000000000", hashlib.sha256).digest()).decode()
    assert make_client_token(secret="secret", created_ms=1700000000000) == f"1700000000000:{mac}"
    for end in ("\n", "\r\n"):
        token = parse_client_token(f"1700000000000:{mac}{end}")
        assert token is not None
        assert token.signed_with("secret")


@given(st.integers(-(10**15), 10**15))
def test_its_time(offset: int) -> None:
    now = 2 * 10**15
    token = parse_client_token(make_client_token(secret="s", created_ms=now + offset))
    assert token is not None
    assert token.in_time(now) == (-LIFETIME_MS <= offset <= SKEW_MS)


# --- whose it is ---


async def test_the_account_that_signed_it_is_found_with_and_without_its_id(people: Cast) -> None:
    for person in (people.alice, people.charlie):
        organisation = person.organisation
        for account_id in (None, organisation.pk):
            caller = await caller_of(new_token(organisation.secret, account_id=account_id), SCOPE)
            assert (caller.organisation_id, caller.key_id, caller.kind) == (organisation.pk, 0, "token")


async def test_another_account_s_id_opens_nothing(people: Cast) -> None:
    stranger = new_token(people.charlie.organisation.secret, account_id=people.alice.organisation.pk)
    assert await refusal(stranger) == "token_invalid"
    assert await refusal(new_token(people.charlie.organisation.secret, account_id=10**17)) == "token_invalid"


async def test_the_host_may_name_the_account(people: Cast) -> None:
    token = new_token(people.alice.organisation.secret)

    def scope(organisation_id: int) -> dict[str, object]:
        return {**SCOPE, "headers": [(b"host", f"{organisation_id}.localhost:8000".encode())]}

    alice, charlie = people.alice.organisation.pk, people.charlie.organisation.pk
    assert (await caller_of(token, scope(alice))).organisation_id == alice
    assert await refusal(token, scope(charlie)) == "token_invalid"
    assert (await caller_of(token, SCOPE)).organisation_id == alice


async def test_too_old_and_from_the_future(people: Cast) -> None:
    secret = people.alice.organisation.secret
    assert await refusal(new_token(secret, age_ms=LIFETIME_MS + 1000)) == "token_expired"
    assert await refusal(new_token(secret, age_ms=-SKEW_MS - 1000)) == "token_invalid"
    await caller_of(new_token(secret, age_ms=LIFETIME_MS - 10_000), SCOPE)
    await caller_of(new_token(secret, age_ms=-SKEW_MS + 10_000), SCOPE)


@pytest.mark.parametrize("with_id", [True, False])
async def test_a_replaced_secret_stops_working_at_once(people: Cast, with_id: bool) -> None:
    organisation = people.alice.organisation
    account_id = organisation.pk if with_id else None
    token = new_token(organisation.secret, account_id=account_id)
    caller = await caller_of(token, SCOPE)
    await check_again(token, caller)
    secret = await database_sync_to_async(rotate_account_secret)(organisation=organisation)
    assert await refusal(token) == "token_invalid"
    with pytest.raises(ApiError, match="replaced"):
        await check_again(token, caller)
    assert (await caller_of(new_token(secret, account_id=account_id), SCOPE)).organisation_id == organisation.pk


async def test_a_new_account_is_found_within_seconds(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await caller_of(new_token(people.alice.organisation.secret), SCOPE)
    secret = make_account_secret()
    new = await type(people.alice.organisation).objects.acreate(name="New", secret=secret)
    monkeypatch.setattr(token_owners, "UNKNOWN_SECONDS", 0.0)
    assert (await caller_of(new_token(secret), SCOPE)).organisation_id == new.pk


async def test_tokens_are_remembered_and_their_memory_is_bounded(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_owners, "KNOWN_TOKENS", 3)
    monkeypatch.setattr(token_owners, "UNKNOWN_TOKENS", 3)
    owners, organisation = TokenOwners(), people.alice.organisation
    texts = [
        make_client_token(secret=secret, created_ms=n) for n in range(9) for secret in (organisation.secret, "guess")
    ]
    tokens = [token for text in texts if (token := parse_client_token(text))]
    assert [await owners.owner_of(token) for token in tokens] == [organisation.pk, None] * 9
    assert [owners.remembers(token) for token in tokens] == [False] * 12 + [True] * 6


# --- guessing ---


async def test_an_address_that_guesses_is_kept_out_and_others_are_not(people: Cast) -> None:
    now = int(time.time() * 1000)
    guesses = [make_client_token(secret="guess", created_ms=now - number) for number in range(WRONG_AT_ONCE + 1)]
    assert {await refusal(guess) for guess in guesses} == {"token_invalid"}
    assert await refusal(guesses[0].replace(str(now), str(now - 99))) == "rate_limit"
    assert await refusal("nonsense") == "rate_limit"
    good = new_token(people.alice.organisation.secret)
    await caller_of(good, {**SCOPE, "client": ("192.0.2.2", 1)})
    # Known by now, it costs nothing to let it in.
    await caller_of(good, SCOPE)


async def test_one_ipv6_network_is_one_guesser(people: Cast) -> None:
    for number in range(WRONG_AT_ONCE + 1):
        assert await refusal(f"nonsense {number}", {**SCOPE, "client": (f"2001:db8::{number:x}", 1)}) == "token_invalid"
    assert await refusal("nonsense", {**SCOPE, "client": ("2001:db8::ffff", 1)}) == "rate_limit"
    assert await refusal("nonsense", {**SCOPE, "client": ("2001:db8:0:1::1", 1)}) == "token_invalid"
