"""The little of ASGI that sockets need."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TEXT = 0x81
"""First byte of a text frame that is complete in itself (RFC 6455, 5.2)."""


class Frame:
    """A text frame for any number of clients: servers don't mask, so all of them get the same bytes."""

    __slots__ = ("_encoded", "_message", "wire")

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._message: dict[str, Any] | None = None
        self.wire = _header(len(encoded)) + encoded

    @property
    def message(self) -> dict[str, Any]:
        """The same for a server that writes the frame itself."""
        if self._message is None:
            self._message = {"type": "websocket.send", "text": self._encoded.decode()}
        return self._message


def _header(size: int) -> bytes:
    if size < 126:
        return bytes((TEXT, size))
    if size < 2**16:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big")
    return bytes((TEXT, 127)) + size.to_bytes(8, "big")
