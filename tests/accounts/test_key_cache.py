import pytest

from accounts import key_cache
from accounts.caller import Caller
from accounts.key_cache import Entry, KeyCache


def entry(key_id: int) -> Entry:
    return Entry(Caller(organisation_id=1, key_id=key_id, kind="api"))


def filled(*digests: str, known: int = 100, unknown: int = 100) -> KeyCache:
    cache = KeyCache(known=known, unknown=unknown)
    for key_id, digest in enumerate(digests, start=1):
        cache.store(digest, entry(key_id), generation=cache.generation)
    return cache


def remembers(cache: KeyCache, digest: str) -> bool:
    try:
        cache.get(digest)
    except KeyError:
        return False
    return True


def test_it_remembers_keys_that_exist_and_keys_that_do_not() -> None:
    cache = filled("one")
    cache.store("none", None, generation=cache.generation)

    found = cache.get("one")
    assert found is not None
    assert found.caller.key_id == 1
    assert cache.get("none") is None
    assert not remembers(cache, "never asked")


def test_guesses_push_no_key_out() -> None:
    cache = filled("one", unknown=10)

    for guess in range(1000):
        cache.store(f"guess {guess}", None, generation=cache.generation)

    assert remembers(cache, "one")
    assert sum(remembers(cache, f"guess {guess}") for guess in range(1000)) == 10


def test_the_oldest_key_goes_first() -> None:
    cache = filled("one", "two", "three", known=2)

    assert [remembers(cache, digest) for digest in ("one", "two", "three")] == [False, True, True]


def test_storing_a_key_again_makes_it_young() -> None:
    cache = filled("one", "two", known=2)
    cache.store("one", entry(1), generation=cache.generation)
    cache.store("three", entry(3), generation=cache.generation)

    assert [remembers(cache, digest) for digest in ("one", "two", "three")] == [True, False, True]


def test_it_forgets_one_key_by_name_and_all_guesses() -> None:
    cache = filled("one", "two")
    cache.store("guess", None, generation=cache.generation)

    cache.forget("api:1")
    cache.forget("api:99")

    assert [remembers(cache, digest) for digest in ("one", "two", "guess")] == [False, True, False]


def test_it_forgets_everything() -> None:
    cache = filled("one", "two")

    cache.forget_everything()

    assert not remembers(cache, "one")
    assert not remembers(cache, "two")


@pytest.mark.parametrize("forget", [lambda cache: cache.forget("api:1"), lambda cache: cache.forget_everything()])
def test_a_look_up_that_overlaps_a_revocation_stores_nothing(forget) -> None:
    cache = KeyCache()
    before_look_up = cache.generation

    forget(cache)
    cache.store("one", entry(1), generation=before_look_up)

    assert not remembers(cache, "one")


def test_entries_are_looked_up_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_cache, "KNOWN_SECONDS", 0)
    monkeypatch.setattr(key_cache, "UNKNOWN_SECONDS", 0)
    cache = filled("one")
    cache.store("none", None, generation=cache.generation)

    assert not remembers(cache, "one")
    assert not remembers(cache, "none")


def test_a_key_that_was_unknown_may_come_to_exist() -> None:
    cache = KeyCache()
    cache.store("one", None, generation=cache.generation)
    cache.store("one", entry(1), generation=cache.generation)

    assert cache.get("one") is not None
