"""Socket.IO at `/socket.io/`: `runcode` in, `codeoutput` out. docs/socketio.md describes the events.

The protocol is python-socketio's work; what is said in it is a `Client`'s. A connection belongs to the process that
accepted it and is talked to by that process alone, so processes need not know of each other's.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import socketio
import structlog
from engineio.exceptions import EngineIOError
from socketio.exceptions import ConnectionRefusedError as Refused

from accounts.authentication import presented_key
from config.errors import ApiError, NotAuthenticated
from execution.realtime.asgi import Receive, Scope, Send, headers_of, paced
from execution.realtime.frames import KEY_CHARACTERS, broken
from execution.realtime.packets import PACKET_BYTES, Packet, only_packets
from execution.realtime.polls import body_refusal, refuse
from execution.realtime.socket_io_client import Client

_log = structlog.get_logger("runcode.socketio")

SWEEP_SECONDS: Final = 10.0
# Of the protocol's own making: what our answers amount to is bounded by each client's outbox.
UNREAD_PACKETS: Final = 1000

# What the library logs as errors is what clients send that is no Socket.IO, traceback and all.
_quiet = logging.getLogger("runcode.socketio.protocol")
_quiet.setLevel(logging.CRITICAL)

_server = socketio.AsyncServer(
    async_mode="asgi",
    # Any page may connect; a key that is bound to origins is checked against them.
    cors_allowed_origins="*",
    cors_credentials=False,
    max_http_buffer_size=PACKET_BYTES,
    # The sweep below does it, and more.
    monitor_clients=False,
    serializer=Packet,
    # The handlers return at once, and what a client types must arrive in the order in which it was typed.
    async_handlers=False,
    logger=_quiet,
    engineio_logger=_quiet,
)
_clients: dict[str, Client] = {}
_engine_sids: dict[str, str] = {}


def is_socket_io(path: str) -> bool:
    """Whether this path (as in a URL, with its leading slash) is the protocol's."""
    return path.startswith("/socket.io/") or path == "/socket.io"


async def socket_io(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application, for HTTP (polling) and WebSocket."""
    if scope["type"] == "http" and (refusal := body_refusal(scope)):
        await refuse(refusal, send)
        return
    await _server.handle_request(scope, only_packets(paced(receive)), send)


@asynccontextmanager
async def socket_io_service() -> AsyncIterator[None]:
    """Gives all seats back when the process stops."""
    try:
        yield
    finally:
        for client in list(_clients.values()):
            await client.close()
        _clients.clear()


def answer_polls() -> None:
    """Sends clients that poll to another process: this one is about to stop."""
    for engine in _server.eio.sockets.values():
        if not engine.upgraded:
            _hang_up(engine)


# --- what python-socketio calls ---


async def _connect(sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
    scope = environ["asgi.scope"]
    try:
        client = Client(key=_token(auth, scope), emit=partial(_emit, sid), drop=partial(_server.disconnect, sid))
        await client.open(scope)
    except ApiError as error:
        raise Refused(error.message, error.body()) from None
    except Exception:
        _log.exception("a Socket.IO connection could not be opened")
        raise Refused(broken().message, broken().body()) from None
    _clients[sid] = client
    _engine_sids[sid] = _server.manager.eio_sid_from_sid(sid, "/")


async def _disconnect(sid: str, _reason: str = "") -> None:
    engine = _server.eio.sockets.get(_engine_sids.pop(sid, None))
    if client := _clients.pop(sid, None):
        await client.close()
    if engine is not None:
        _hang_up(engine)


def _runcode(sid: str, *arguments: Any) -> None:
    _clients[sid].runcode(arguments)


def _input(sid: str, *arguments: Any) -> Any:
    return _clients[sid].input(arguments)


def _input_end(sid: str, *_arguments: Any) -> Any:
    return _clients[sid].input_end()


def _stop(sid: str, *_arguments: Any) -> None:
    _clients[sid].stop()


_server.on("connect", _connect)
_server.on("disconnect", _disconnect)
_server.on("runcode", _runcode)
_server.on("input", _input)
_server.on("input_end", _input_end)
_server.on("stop", _stop)


def _token(auth: Any, scope: Scope) -> str:
    """The key that a client presents. Raises NotAuthenticated."""
    token = auth.get("token") if isinstance(auth, dict) else None
    if isinstance(token, str) and token:
        return token[:KEY_CHARACTERS]
    if key := presented_key(headers_of(scope)):
        return key
    raise NotAuthenticated('Connect with auth: {token: "YOUR WEBSOCKET KEY"}.', code="key_missing")


async def _emit(sid: str, event: str, data: Any) -> None:
    """Returns when the event is on its way to the client: over WebSocket written, over polling fetched."""
    engine = _server.eio.sockets.get(_engine_sids.get(sid))
    if engine is None or engine.closed:
        raise ConnectionError("The client is gone.")
    try:
        await _server.emit(event, data, to=sid)
    except EngineIOError as error:
        raise ConnectionError("The client is gone.") from error
    await engine.queue.join()


# --- tidying up ---


async def keep_sweeping() -> None:
    """Ends what would be kept for ever: clients that do not say who they are, that do not read, or that are gone. A
    background task of each web process; runs until cancelled."""
    seen: set[str] = set()
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        engines = dict(_server.eio.sockets)
        known = set(_engine_sids.values())
        for sid, engine_sid in list(_engine_sids.items()):
            if engine_sid not in engines:
                await _disconnect(sid)
        for engine_sid, engine in engines.items():
            if engine.closed or not await engine.check_ping_timeout():
                _server.eio.sockets.pop(engine_sid, None)
            elif engine.queue.qsize() > UNREAD_PACKETS or (engine_sid in seen and engine_sid not in known):
                await engine.close(wait=False)
                _hang_up(engine)
        seen = engines.keys() - known


def _hang_up(engine: Any) -> None:
    """What waits is sent; then the library's writer ends, and the socket with it, also if the client would rather stay.
    A poll that waits is answered: the client's process may be waiting for it."""
    engine.queue.put_nowait(None)
