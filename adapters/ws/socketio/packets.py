"""Socket.IO's packets as this server reads and writes them: JSON only, strictly, and written once for all.

A packet for everybody exists in two shapes, each made when it is first asked for: as a WebSocket frame, and
as what Engine.IO hands to a client that polls.
"""

from functools import cached_property
from typing import Any

import msgspec
from engineio.packet import MESSAGE  # type: ignore[import-untyped]
from engineio.packet import Packet as EnginePacket
from socketio.packet import Packet  # type: ignore[import-untyped]

from adapters.wire.strict_json import mended
from adapters.ws.asgi import Frame

EVENT = b"42"
"""Engine.IO's message, and in it Socket.IO's event."""

BINARY = frozenset("56")
"""The first characters of Socket.IO packets that announce binary attachments."""

_encode = msgspec.json.Encoder().encode


class StrictJson:
    """What python-socketio asks of a JSON module. Refuses what a database would choke on, such as NaN."""

    @staticmethod
    def dumps(content: Any, **_: Any) -> str:
        return _encode(content).decode()

    @staticmethod
    def loads(text: str) -> Any:
        return msgspec.json.decode(mended(text.encode()))


class TextPacket(Packet):  # type: ignore[misc]
    uses_binary_events = False
    json = StrictJson


class Push:
    """An event for any number of clients."""

    def __init__(self, event: str, content: Any) -> None:
        self._encoded = EVENT + _encode((event, content))

    @cached_property
    def frame(self) -> Frame:
        return Frame(self._encoded)

    @cached_property
    def packet(self) -> Any:
        return EnginePacket(MESSAGE, data=self._encoded[1:].decode())
