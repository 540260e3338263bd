"""The name of one request, by which its answer and its log lines are found again (`X-Request-ID`)."""

import re
import secrets

import structlog

HEADER = "X-Request-ID"

# What an outside name may hold: enough for UUIDs, ULIDs and trace ids, nothing that could forge a log line.
_SANE = re.compile(r"[A-Za-z0-9._:+/=@-]{1,64}", re.ASCII)


def begin(outside: str | None) -> str:
    """Bind this request's id to its log lines and return it.

    `outside` is the client's or a proxy's `X-Request-ID`: kept when it is 1–64 harmless characters,
    else replaced by 32 hexadecimal digits.
    """
    request_id = outside if outside is not None and _SANE.fullmatch(outside) else secrets.token_hex(16)
    # Clearing first: a pipelined request's task is started inside its predecessor's context.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id
