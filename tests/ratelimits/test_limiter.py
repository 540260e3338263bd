"""What both limiters do, one by one."""

import asyncio

import pytest

from accounts.ratelimits import Decision, Held, Lease, Limiter, Quota, State, TokenBucket
from tests.ratelimits.clock import Clock

SCOPE = "o1"
A_MONTH = 31 * 24 * 3600


def lease(member: str, *, limit: int = 2, name: str = "sync", seconds: int = 15) -> Lease:
    return Lease(name, limit, member, seconds)


def quota(member: str, *, limit: int = 3, seconds: int = 600) -> Quota:
    return Quota("runs", limit, member, seconds)


def held(*checks: Lease | Quota) -> list[Held]:
    return [found for check in checks if (found := Held.of(check))]


class TestTokenBucket:
    bucket = TokenBucket.per_second("k1", rate=2, burst=3)

    async def test_it_grants_the_burst_then_refuses_and_tells_when_to_come_back(self, limiter: Limiter) -> None:
        remaining = [(await limiter.acquire(SCOPE, [self.bucket])).states[0].remaining for _ in range(3)]
        refusal = await limiter.acquire(SCOPE, [self.bucket])

        assert remaining == [2, 1, 0]
        assert refusal == Decision((State(0, 1_500_000),), refused=0, retry_after=500_000)

    async def test_it_grants_again_at_the_very_time_it_told(self, limiter: Limiter, clock: Clock) -> None:
        for _ in range(3):
            await limiter.acquire(SCOPE, [self.bucket])
        clock.advance(0.499_999)
        assert not (await limiter.acquire(SCOPE, [self.bucket])).granted
        clock.advance(0.000_001)
        assert (await limiter.acquire(SCOPE, [self.bucket])).granted

    async def test_it_never_saves_more_than_the_burst(self, limiter: Limiter, clock: Clock) -> None:
        await limiter.acquire(SCOPE, [self.bucket])
        clock.advance(3600)
        assert (await limiter.acquire(SCOPE, [self.bucket])).states == (State(2, 500_000),)

    async def test_a_refusal_takes_no_token(self, limiter: Limiter, clock: Clock) -> None:
        for _ in range(10):
            await limiter.acquire(SCOPE, [self.bucket])
        clock.advance(0.5)
        assert (await limiter.acquire(SCOPE, [self.bucket])).granted

    async def test_a_dear_request_takes_several_tokens(self, limiter: Limiter) -> None:
        dear = TokenBucket.per_second("k1", rate=2, burst=3, cost=2)
        assert (await limiter.acquire(SCOPE, [dear])).states[0].remaining == 1
        assert (await limiter.acquire(SCOPE, [dear])).retry_after == 500_000

    async def test_keys_and_organisations_have_buckets_of_their_own(self, limiter: Limiter) -> None:
        for _ in range(3):
            await limiter.acquire(SCOPE, [self.bucket])
        assert (await limiter.acquire(SCOPE, [TokenBucket.per_second("k2", rate=2, burst=3)])).granted
        assert (await limiter.acquire("o2", [self.bucket])).granted

    async def test_a_smaller_burst_after_a_downgrade_counts_what_was_taken(self, limiter: Limiter) -> None:
        for _ in range(3):
            await limiter.acquire(SCOPE, [self.bucket])
        refusal = await limiter.acquire(SCOPE, [TokenBucket.per_second("k1", rate=2, burst=1)])
        assert refusal == Decision((State(0, 1_500_000),), refused=0, retry_after=1_500_000)


class TestLease:
    async def test_it_refuses_past_the_limit_and_grants_after_a_release(self, limiter: Limiter) -> None:
        assert (await limiter.acquire(SCOPE, [lease("a")])).states == (State(1, 0),)
        assert (await limiter.acquire(SCOPE, [lease("b")])).states == (State(0, 0),)
        assert (await limiter.acquire(SCOPE, [lease("c")])).refused == 0

        await limiter.finish(SCOPE, held(lease("a")))

        assert (await limiter.acquire(SCOPE, [lease("c")])).granted

    async def test_who_holds_it_takes_no_second_place(self, limiter: Limiter) -> None:
        await limiter.acquire(SCOPE, [lease("a")])
        assert (await limiter.acquire(SCOPE, [lease("a")])).states == (State(1, 0),)
        assert (await limiter.acquire(SCOPE, [lease("b")])).granted
        assert (await limiter.acquire(SCOPE, [lease("b")])).granted

    async def test_it_lapses_by_itself_at_the_time_told(self, limiter: Limiter, clock: Clock) -> None:
        await limiter.acquire(SCOPE, [lease("a", limit=1)])
        clock.advance(5)
        refusal = await limiter.acquire(SCOPE, [lease("b", limit=1)])
        assert refusal.retry_after == 10_000_000

        clock.advance(9.999_999)
        assert not (await limiter.acquire(SCOPE, [lease("b", limit=1)])).granted
        clock.advance(0.000_001)
        assert (await limiter.acquire(SCOPE, [lease("b", limit=1)])).granted

    async def test_a_renewal_prolongs_it(self, limiter: Limiter, clock: Clock) -> None:
        await limiter.acquire(SCOPE, [lease("a", limit=1)])
        for _ in range(5):
            clock.advance(10)
            await limiter.renew(SCOPE, held(lease("a")))
        clock.advance(14)
        assert not (await limiter.acquire(SCOPE, [lease("b", limit=1)])).granted
        clock.advance(1)
        assert (await limiter.acquire(SCOPE, [lease("b", limit=1)])).granted

    async def test_a_renewal_takes_anew_what_has_lapsed(self, limiter: Limiter, clock: Clock) -> None:
        await limiter.acquire(SCOPE, [lease("a", limit=1)])
        clock.advance(20)
        await limiter.renew(SCOPE, held(lease("a")))
        assert not (await limiter.acquire(SCOPE, [lease("b", limit=1)])).granted

    async def test_giving_back_what_was_never_held_frees_nothing(self, limiter: Limiter) -> None:
        await limiter.acquire(SCOPE, [lease("a", limit=1)])
        await limiter.finish(SCOPE, held(lease("never"), lease("a", name="other")))
        assert not (await limiter.acquire(SCOPE, [lease("b", limit=1)])).granted

    async def test_it_counts_who_holds_it(self, limiter: Limiter, clock: Clock) -> None:
        assert await asyncio.to_thread(limiter.count, SCOPE, "sync") == 0
        await limiter.acquire(SCOPE, [lease("a")])
        clock.advance(10)
        await limiter.acquire(SCOPE, [lease("b")])
        assert await asyncio.to_thread(limiter.count, SCOPE, "sync") == 2
        clock.advance(5)
        assert await asyncio.to_thread(limiter.count, SCOPE, "sync") == 1
        assert await asyncio.to_thread(limiter.count, "o2", "sync") == 0


class TestQuota:
    async def test_it_asks_for_the_total_before_it_grants_anything(self, limiter: Limiter) -> None:
        decision = await limiter.acquire(SCOPE, [lease("a", limit=1), quota("a")])

        assert (decision.granted, decision.unknown_total) == (False, True)
        await limiter.publish(SCOPE, "runs", 0)
        assert (await limiter.acquire(SCOPE, [lease("b", limit=1), quota("b")])).states == (State(0, 0), State(2, 0))

    async def test_total_and_reservations_count_together(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 1)
        assert (await limiter.acquire(SCOPE, [quota("a")])).states == (State(1, 0),)
        assert (await limiter.acquire(SCOPE, [quota("b")])).states == (State(0, 0),)
        assert (await limiter.acquire(SCOPE, [quota("c")])).refused == 0

    async def test_an_unused_reservation_is_given_back(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 2)
        await limiter.acquire(SCOPE, [quota("a")])
        await limiter.finish(SCOPE, held(quota("a")))
        assert (await limiter.acquire(SCOPE, [quota("b")])).granted

    async def test_a_reservation_nobody_finished_lapses(self, limiter: Limiter, clock: Clock) -> None:
        await limiter.publish(SCOPE, "runs", 2)
        await limiter.acquire(SCOPE, [quota("a")])
        clock.advance(599)
        assert (await limiter.acquire(SCOPE, [quota("b")])).retry_after == 1_000_000
        clock.advance(1)
        assert (await limiter.acquire(SCOPE, [quota("b")])).granted

    async def test_a_pinned_reservation_never_lapses(self, limiter: Limiter, clock: Clock) -> None:
        await limiter.publish(SCOPE, "runs", 2)
        await limiter.acquire(SCOPE, [quota("a")])
        await limiter.finish(SCOPE, held(quota("a")), pin=True)
        clock.advance(A_MONTH)
        assert await limiter.acquire(SCOPE, [quota("b")]) == Decision((State(0, 0),), refused=0, retry_after=0)

    async def test_pinning_gives_leases_back(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 0)
        await limiter.acquire(SCOPE, [lease("a", limit=1), quota("a")])
        await limiter.finish(SCOPE, held(lease("a"), quota("a")), pin=True)
        assert (await limiter.acquire(SCOPE, [lease("b", limit=1), quota("b")])).states == (State(0, 0), State(1, 0))

    async def test_a_renewal_does_not_unpin(self, limiter: Limiter, clock: Clock) -> None:
        await limiter.publish(SCOPE, "runs", 2)
        await limiter.acquire(SCOPE, [quota("a")])
        await limiter.finish(SCOPE, held(quota("a")), pin=True)
        await limiter.renew(SCOPE, held(quota("a")))
        clock.advance(700)
        assert not (await limiter.acquire(SCOPE, [quota("b")])).granted

    async def test_publishing_swaps_pins_for_the_total(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 0)
        for member in "ab":
            await limiter.acquire(SCOPE, [quota(member)])
        await limiter.finish(SCOPE, held(quota("a")), pin=True)
        await limiter.finish(SCOPE, held(quota("b")), pin=True)
        assert sorted(await asyncio.to_thread(limiter.pinned, SCOPE, "runs")) == ["a", "b"]

        await limiter.publish(SCOPE, "runs", 1, drop=["a"])

        assert await asyncio.to_thread(limiter.pinned, SCOPE, "runs") == ["b"]
        assert (await limiter.acquire(SCOPE, [quota("c")])).states == (State(0, 0),)

    async def test_a_late_smaller_total_changes_nothing(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 3)
        await limiter.publish(SCOPE, "runs", 1)
        assert not (await limiter.acquire(SCOPE, [quota("a")])).granted

    async def test_reservations_in_flight_are_not_told_as_pinned(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 0)
        await limiter.acquire(SCOPE, [quota("a")])
        assert await asyncio.to_thread(limiter.pinned, SCOPE, "runs") == []
        assert await asyncio.to_thread(limiter.pinned, "o2", "runs") == []

    async def test_a_total_past_a_smaller_limit_refuses(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 5)
        assert await limiter.acquire(SCOPE, [quota("a")]) == Decision((State(0, 0),), refused=0)


class TestAllOrNothing:
    bucket = TokenBucket.per_second("k1", rate=1, burst=1)

    async def test_nothing_is_taken_when_a_later_check_refuses(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 0)
        await limiter.acquire(SCOPE, [self.bucket])

        refusal = await limiter.acquire(SCOPE, [quota("a"), lease("a", limit=1), self.bucket])

        assert refusal.refused == 2
        assert (await limiter.acquire(SCOPE, [quota("b", limit=1), lease("b", limit=1)])).granted

    async def test_the_first_refusal_is_the_one_told(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 3)
        await limiter.acquire(SCOPE, [self.bucket])
        refusal = await limiter.acquire(SCOPE, [lease("a"), self.bucket, quota("a")])
        assert (refusal.refused, refusal.retry_after) == (1, 1_000_000)
        assert refusal.states == (State(2, 0), State(0, 1_000_000), State(0, 0))

    async def test_no_check_at_all_is_granted(self, limiter: Limiter) -> None:
        assert (await limiter.acquire(SCOPE, [])).granted

    @pytest.mark.parametrize("order", [1, -1])
    async def test_a_missing_total_outweighs_a_refusal(self, limiter: Limiter, order: int) -> None:
        await limiter.acquire(SCOPE, [self.bucket])
        assert (await limiter.acquire(SCOPE, [self.bucket, quota("a")][::order])).unknown_total

    async def test_many_at_once_get_exactly_what_there_is(self, limiter: Limiter) -> None:
        await limiter.publish(SCOPE, "runs", 0)

        async def attempt(member: str) -> bool:
            return (await limiter.acquire(SCOPE, [quota(member, limit=40), lease(member, limit=25)])).granted

        granted = await asyncio.gather(*(attempt(f"m{number}") for number in range(200)))

        assert sum(granted) == 25
        assert await asyncio.to_thread(limiter.count, SCOPE, "sync") == 25
