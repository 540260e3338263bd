"""Who is calling: what the rest of the code sees of a request's key."""

from dataclasses import dataclass
from typing import Literal

from accounts.keys import Kind


@dataclass(frozen=True, slots=True)
class Caller:
    """An accepted key. Ids are those of `Organisation` and of `ApiKey` or `WebSocketKey`, as `kind` says.

    A `token` is one that the account's own server made (accounts.client_tokens), which is no row: its id is 0. A member
    at the playground has no key; the negative id of the user stands in its place, so that each member has the limits of
    a key of their own. `redirect_url` is where the results of this key's asynchronous runs are sent;
    empty when it has none. `bound_to_origins`: the key is restricted to web origins, so the request came from one.
    """

    organisation_id: int
    key_id: int
    kind: Kind | Literal["token"]
    redirect_url: str = ""
    bound_to_origins: bool = False
