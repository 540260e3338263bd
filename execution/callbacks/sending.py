"""One attempt to deliver: signed as Standard Webhooks says, sent once, and what came of it in words.

The signature's form is that of https://www.standardwebhooks.com: `webhook-id`, `webhook-timestamp` (Unix seconds) and
`webhook-signature`, one for each secret that is valid now.
"""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import httpcore
import httpx
from standardwebhooks import Webhook

from execution.callbacks.guard import ForbiddenAddress, GuardedBackend, NameNotFound, Resolver, resolve

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 12.0
"""However an endpoint dawdles, an attempt takes no longer than this."""

READ_BYTES: Final = 16 * 1024
"""So much of an answer's body is taken in, so that its sender sees it off; what it says does not matter."""

LONGEST_RETRY_AFTER: Final = 3600.0
USER_AGENT: Final = "Runcode-Callbacks"

_TIMEOUTS: Final = {"connect": CONNECT_SECONDS, "read": ANSWER_SECONDS, "write": ANSWER_SECONDS, "pool": TOTAL_SECONDS}


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of an attempt: accepted when there is no `cause`. `retry_after`: the seconds it asks for."""

    status: int | None
    cause: str
    seconds: float
    retry_after: float = 0.0

    @property
    def accepted(self) -> bool:
        return not self.cause

    @property
    def gone(self) -> bool:
        """The endpoint says that it wants nothing any more."""
        return self.status == HTTPStatus.GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`body` is JSON in ASCII; `secrets` sign it, at least one."""

    url: str
    webhook_id: str
    body: bytes
    secrets: Sequence[str]


class Sender:
    """Sends messages from one event loop. `ssl_context` is what certificates are checked with."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(),
            # An endpoint that closes a kept connection in the moment of its use would look like a failed one.
            max_keepalive_connections=0,
            network_backend=GuardedBackend(allow_private=allow_private, resolver=resolver),
        )

    async def send(self, message: Message) -> Attempted:
        """One attempt. Every failure is in what it returns."""
        started = time.monotonic()
        status: int | None = None
        retry_after = 0.0
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                status, retry_after = await self._post(message)
            cause = _cause_of(status)
        except Exception as error:
            cause = _in_words(error, message.url)
        return Attempted(status, cause[:200], time.monotonic() - started, retry_after)

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _post(self, message: Message) -> tuple[int, float]:
        url = httpx.URL(message.url)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        headers = signed_headers(message) | {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        async with self._pool.stream(
            "POST", target, headers=headers, content=message.body, extensions={"timeout": _TIMEOUTS}
        ) as answer:
            taken = 0
            async for part in answer.aiter_stream():
                taken += len(part)
                if taken > READ_BYTES:
                    break
        named = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
        return answer.status, min(float(named), LONGEST_RETRY_AFTER) if named.isdigit() else 0.0


def signed_headers(message: Message) -> dict[str | bytes, str | bytes]:
    now = datetime.now(UTC)
    signatures = [
        Webhook(secret).sign(message.webhook_id, now, message.body.decode("ascii")) for secret in message.secrets
    ]
    return {
        "webhook-id": message.webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _cause_of(status: int) -> str:
    """Why this status is no acceptance; empty when it is one."""
    if 200 <= status < 300:
        return ""
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    if 300 <= status < 400:
        return f"Answered {named}; redirects are not followed."
    return f"Answered {named}."


def _in_words(error: Exception, url: str) -> str:
    host = httpx.URL(url).host
    causes = _chain(error)
    if forbidden := next((each for each in causes if isinstance(each, ForbiddenAddress)), None):
        return f"{host} leads to {forbidden.address}, which is no public address; nothing is sent there."
    if any(isinstance(each, NameNotFound) for each in causes):
        return f"The name {host} was not found."
    if failed := next((each for each in causes if isinstance(each, ssl.SSLError)), None):
        return f"TLS failed: {getattr(failed, 'verify_message', '') or failed.reason or failed}."
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return "The connection was refused."
    if isinstance(error, httpcore.ConnectTimeout):
        return f"No connection within {CONNECT_SECONDS:.0f} seconds."
    if isinstance(error, httpcore.TimeoutException | TimeoutError):
        return f"No answer within {ANSWER_SECONDS:.0f} seconds."
    if isinstance(error, httpcore.ConnectError):
        return "The connection could not be made."
    if isinstance(error, httpcore.RemoteProtocolError):
        return "The answer is not HTTP, or broke off."
    if isinstance(error, httpcore.NetworkError):
        return "The connection broke before there was an answer."
    return f"The address cannot be called ({type(error).__name__})."


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        if isinstance(error, BaseExceptionGroup):
            found += error.exceptions
        error = error.__cause__ or error.__context__
    return found
