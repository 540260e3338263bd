"""`Idempotency-Key`: a POST that may be sent again, by whoever does not know whether it arrived.

The header's value names the request, among those of its API key and for a day. The first with a name is carried out
and its answer kept; one that comes later with the same name gets the same answer, and nothing runs or is billed again.

- Another body or another address under a name that is taken: 409 `idempotency_conflict`.
- The first is still running: 409 `idempotency_in_progress` with `Retry-After`. It is not waited for: that would hold a
  connection, and a place among the key's, for a client that is retrying anyway.
- Kept is an answer, not a refusal: after a limit, an outage or a mistake in the body the same name can be used again.
- Its process dies in the middle: the claim lapses within `LEASE_SECONDS`, and the next attempt carries the request out
  under the same run id, so that it is billed once even where the dead process had billed it already.

Without the header none of this is touched.
"""

from execution.idempotency.requests import HEADER, REPLAYED_HEADER, once

__all__ = ["HEADER", "REPLAYED_HEADER", "once"]
