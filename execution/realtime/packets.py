"""Socket.IO packets, as far as this service speaks them: events of known names, as text."""

from collections.abc import Mapping
from typing import Any, Final

from socketio import packet

from execution.realtime.asgi import Receive

# As for the bodies of HTTP calls: above what a request within all field limits needs.
PACKET_BYTES: Final = 4 * 1024 * 1024
# open, close, ping, pong, message, upgrade, noop (the Engine.IO protocol, version 4)
_ENGINE_TYPES: Final = "0123456"
EVENTS: Final = frozenset({"runcode", "input", "input_end", "stop"})


class Packet(packet.Packet):  # type: ignore[misc]
    """Everything else is dropped while it is read.

    Announced attachments would be kept in memory until the last has come. And an event that calls itself `connect`
    would reach the handler that the library calls by that name, past the check of the key.
    """

    uses_binary_events = False

    def decode(self, encoded_packet: Any) -> int:
        attachments: int = super().decode(encoded_packet)
        if self.packet_type in (packet.BINARY_EVENT, packet.BINARY_ACK):
            raise ValueError("Binary packets are not taken.")
        if self.packet_type == packet.EVENT and not self._is_known_event():
            raise ValueError("No such event.")
        return attachments

    def _is_known_event(self) -> bool:
        data = self.data
        return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] in EVENTS


def only_packets(receive: Receive) -> Receive:
    """`receive` of a WebSocket for the library's eyes: what is no Engine.IO packet of text reads as the client's going.

    The library's loop would end on it with an error, and leave the socket, and our seat, behind.
    """

    async def checked() -> Mapping[str, Any]:
        message = await receive()
        if message["type"] == "websocket.receive" and (message.get("text") or "x")[0] not in _ENGINE_TYPES:
            return {"type": "websocket.disconnect", "code": 1002}
        return message

    return checked
