"""A client that takes nothing of what waits for it is cut off by the kernel: no server could tell it goodbye."""

import socket

import pytest

from execution.management.commands import serve

PATIENCE = 30
MORE_THAN_FITS = b"x" * 64 * 1024 * 1024


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch):
    """Both ends of a connection to the service's own listener: the server's, the client's."""
    monkeypatch.setattr(serve, "DEAF_SECONDS", 1)
    with serve.listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()) as client:
        server, _ = listener.accept()
        with server:
            server.settimeout(PATIENCE)
            yield server, client


def test_who_reads_nothing_is_cut_off(pair: tuple[socket.socket, socket.socket]):
    server, _client = pair
    with pytest.raises(TimeoutError, match="timed out") as caught:
        server.sendall(MORE_THAN_FITS)
    # The kernel's word, not the patience of this test.
    assert caught.value.errno is not None


def test_who_reads_now_and_then_is_not(pair: tuple[socket.socket, socket.socket]):
    server, client = pair
    server.setblocking(False)
    left = server.send(MORE_THAN_FITS)
    client.settimeout(PATIENCE)
    while left:
        left -= len(client.recv(1024 * 1024))
    server.settimeout(PATIENCE)
    server.sendall(b"still there")
    assert client.recv(100) == b"still there"
