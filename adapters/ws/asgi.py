"""The little of ASGI that sockets need."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Frame = dict[str, Any]
"""A `websocket.send` message. One object goes to every socket of an audience: never change it."""


def frame(encoded: bytes) -> Frame:
    return {"type": "websocket.send", "text": encoded.decode()}
