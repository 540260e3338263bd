import re

import pytest

from accounts.keys import digest_of, make_account_secret, make_api_key, make_websocket_key, parse, same_digest


def test_an_api_key_shows_its_kind_and_prefix() -> None:
    key = make_api_key()

    parsed = parse(key)

    assert parsed is not None
    assert parsed.kind == "api"
    assert key.startswith(f"rk_{parsed.prefix}_")
    assert parsed.digest == digest_of(key)


def test_a_websocket_key_shows_its_kind() -> None:
    parsed = parse(make_websocket_key())

    assert parsed is not None
    assert (parsed.kind, parsed.prefix) == ("websocket", "")


@pytest.mark.parametrize("make", [make_api_key, make_websocket_key, make_account_secret])
def test_no_two_keys_are_alike_and_none_needs_escaping(make) -> None:
    made = {make() for _ in range(200)}

    assert len(made) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", key, re.ASCII) for key in made)


def test_an_account_secret_is_no_key() -> None:
    assert parse(make_account_secret()) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1],
        lambda key: key + "a",
        lambda key: key + "\n",
        lambda key: " " + key,
        lambda key: key.replace("k_", "k-", 1),
        lambda key: "x" + key[1:],
        lambda key: key[:-1] + "é",
        lambda key: key[:-1] + "\0",
        lambda key: key[:-1] + "٣",
        lambda key: key.upper().replace("RK_", "RK-").replace("WK_", "WK-"),
        lambda key: "",
        lambda key: key * 1000,
    ],
)
@pytest.mark.parametrize("make", [make_api_key, make_websocket_key])
def test_it_recognises_nothing_that_is_not_exactly_a_key(make, spoil) -> None:
    assert parse(spoil(make())) is None


def test_a_digest_takes_any_text() -> None:
    assert digest_of("\ud800") != digest_of("\ud801")


def test_digests_compare_by_content() -> None:
    assert same_digest(digest_of("a"), digest_of("a"))
    assert not same_digest(digest_of("a"), digest_of("b"))
