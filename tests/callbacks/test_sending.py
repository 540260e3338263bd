"""One attempt at an endpoint: what is sent, and what went wrong in words."""

import asyncio
import datetime
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook, WebhookVerificationError

from execution.callbacks import sending
from execution.callbacks.endpoints import make_secret
from execution.callbacks.sending import READ_BYTES, Attempted, Message, Sender
from tests.callbacks.receiver import receiving
from tests.server import free_port

NAME = "hooks.example"
SECRET, OLD_SECRET = make_secret(), make_secret()
BODY = rb'{"output": "\ud83d\u0000"}'

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def attempt(url: str, **options: object) -> Attempted:
    sender = Sender(allow_private=True, **options)  # type: ignore[arg-type]
    try:
        message = Message(url=url, webhook_id="msg_1", body=BODY, secrets=[SECRET, OLD_SECRET])
        return await sender.send(message)
    finally:
        await sender.aclose()


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server of whatever speaks, on a port of this machine."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS of a server that is called NAME, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=pem)


async def here(_host: str, _port: int) -> list[ipaddress.IPv4Address]:
    return [ipaddress.IPv4Address("127.0.0.1")]


async def test_the_stock_verifier_accepts_either_secret_and_no_other() -> None:
    with receiving() as receiver:
        sent = await attempt(f"{receiver.url}?a=%C3%A9")
    assert (sent.accepted, sent.status, sent.cause) == (True, 204, "")
    (message,) = receiver.received
    assert message.path == "/results?a=%C3%A9"
    assert message.body == BODY
    assert message.verified(SECRET) == message.verified(OLD_SECRET) == {"output": "\ud83d\0"}
    assert message.headers["webhook-id"] == "msg_1"
    with pytest.raises(WebhookVerificationError):
        message.verified(make_secret())
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY.replace(b"u0000", b"u0001"), message.headers)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (199 + 1, ""),
        (299, ""),
        (404, "Answered 404 Not Found."),
        (500, "Answered 500 Internal Server Error."),
        (599, "Answered 599."),
        (302, "Answered 302 Found; redirects are not followed."),
        (410, "Answered 410 Gone."),
    ],
)
async def test_a_status_is_an_acceptance_or_a_cause(status: int, cause: str) -> None:
    with receiving(lambda _message, _number: status) as receiver:
        sent = await attempt(receiver.url)
    assert (sent.status, sent.cause, sent.accepted, sent.gone) == (status, cause, not cause, status == 410)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("999999", 3600.0), ("soon", 0.0), ("-1", 0.0)])
async def test_retry_after_is_heeded_within_reason(header: str, seconds: float) -> None:
    with receiving(lambda _message, _number: (503, {"Retry-After": header})) as receiver:
        assert (await attempt(receiver.url)).retry_after == seconds


async def test_a_refused_connection_and_a_name_without_an_address() -> None:
    assert (await attempt(f"http://127.0.0.1:{free_port()}/")).cause == "The connection was refused."
    assert (await attempt("http://nowhere.invalid/")).cause == "The name nowhere.invalid was not found."
    # A label that is longer than names can be.
    assert (await attempt(f"http://{'a' * 70}.example/")).cause == f"The name {'a' * 70}.example was not found."


async def test_an_endpoint_that_does_not_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.3)

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as port:
        sent = await attempt(f"http://127.0.0.1:{port}/")
    assert (sent.status, sent.cause) == (None, "No answer within 10 seconds.")


async def test_an_endpoint_that_dawdles_over_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.5)

    async def dawdling(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Padding: x\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    started = time.monotonic()
    async with serving(dawdling) as port:
        sent = await attempt(f"http://127.0.0.1:{port}/")
    assert sent.cause == "No answer within 10 seconds."
    assert time.monotonic() - started < 5


async def test_an_endless_answer_is_not_taken_in() -> None:
    written = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            written += 65536

    async with serving(endless) as port:
        sent = await attempt(f"http://127.0.0.1:{port}/")
        assert sent.accepted
        # What the kernel holds in between comes on top of what was read.
        assert READ_BYTES < written < 50_000_000


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "The answer is not HTTP, or broke off."),
        (b"", "The answer is not HTTP, or broke off."),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "The answer is not HTTP, or broke off."),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, "The answer is not HTTP, or broke off."),
    ],
    ids=["other protocol", "nothing", "broken off", "headers without end"],
)
async def test_what_is_no_answer(answer: bytes, cause: str) -> None:
    async def speaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(answer)
        await writer.drain()

    async with serving(speaking) as port:
        assert (await attempt(f"http://127.0.0.1:{port}/")).cause == cause


async def test_tls_is_checked_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    heard: list[bytes] = []

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(BODY))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    async with serving(answering, server) as port:
        sent = await attempt(f"https://{NAME}:{port}/", ssl_context=client, resolver=here)
        assert sent.accepted
        assert f"Host: {NAME}:{port}".encode() in heard[0]

        other = await attempt(f"https://other.example:{port}/", ssl_context=client, resolver=here)
        assert other.cause.startswith("TLS failed: Hostname mismatch")

        unknown = await attempt(f"https://{NAME}:{port}/", resolver=here)
        assert unknown.cause == "TLS failed: self-signed certificate."
    assert len(heard) == 1


async def test_a_plain_server_behind_https_is_told() -> None:
    with receiving() as receiver:
        sent = await attempt(receiver.url.replace("http:", "https:"))
    assert sent.cause.startswith("TLS failed: ")


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with receiving() as receiver:
        assert (await attempt(receiver.url)).accepted
