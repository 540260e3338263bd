"""Socket.IO packets, as far as this service speaks them: events of known names, as text."""

from typing import Any, Final

from socketio import packet

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
