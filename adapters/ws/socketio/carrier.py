"""A WebSocket under Engine.IO: what comes is counted and looked at first, what goes never waits."""

import asyncio
from contextlib import suppress
from typing import Any

from adapters.ws.asgi import Frame, Receive, Send
from adapters.ws.hub import Hub
from adapters.ws.options import WsOptions
from adapters.ws.socket import GOING_AWAY, POLICY, TOO_BIG, Socket
from adapters.ws.socketio.line import Line
from adapters.ws.socketio.packets import BINARY
from adapters.ws.trouble import NOT_TEXT

ENGINE_PACKETS = frozenset({"1", "2", "2probe", "3", "5", "6"})
"""What a client may send beside messages: goodbye, pings, their answers, and the change of transports."""

MESSAGE = "4"
GONE = {"type": "websocket.disconnect"}
KINDS = frozenset("01234")
"""Socket.IO's packets without those that announce binary attachments."""


def is_packet(text: str) -> bool:
    """Whether Engine.IO may see it. It would try to read as JSON whatever looks like none of its packets."""
    return text in ENGINE_PACKETS or (text[:1] == MESSAGE and text[1:2] in KINDS and len(text) > 1)


def is_binary(text: str) -> bool:
    return (text[:1] == MESSAGE and text[1:2] in BINARY) or text[:1] == "b"


class Carrier:
    """Satisfies ASGI's receive and send towards Engine.IO."""

    def __init__(self, line: Line, hub: Hub, options: WsOptions, receive: Receive, send: Send) -> None:
        """The server's `websocket.connect` was received already."""
        self._line, self._hub, self._options = line, hub, options
        self._receive, self._send = receive, send
        self._has_begun = False
        self.socket: Socket | None = None

    async def receive(self) -> dict[str, Any]:
        if not self._has_begun:
            self._has_begun = True
            return {"type": "websocket.connect"}
        socket = self.socket
        while socket is not None and not socket.is_closing:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return GONE
            if self._takes(socket, message.get("text")):
                return {"type": "websocket.receive", "text": message["text"]}
        await self._see_off()
        return GONE

    async def _see_off(self) -> None:
        """Read on until the client has taken its leave, but not for ever: Engine.IO swallows cancelling."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self._options.farewell_seconds):
                while (await self._receive())["type"] != "websocket.disconnect":
                    pass

    async def send(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.accept":
                await self._send({"type": "websocket.accept"})
                self.socket = Socket(self._send, self._options)
                self._hub.enter(self.socket)
                self._line.carried_by(self.socket)
            case "websocket.send" if self.socket is not None:
                self.socket.push(Frame(message["text"].encode()))
            case "websocket.close" if self.socket is not None:
                self.socket.close(GOING_AWAY)
            case "websocket.close":
                await self._send({"type": "websocket.close"})

    @property
    def is_whole_line(self) -> bool:
        """Whether the connection ends with this WebSocket: it began with it, or has changed to it."""
        return self._line.is_carried

    def release(self) -> None:
        if self.socket is not None:
            self._line.dropped_by(self.socket)
            self.socket.release()
            self._hub.leave(self.socket)

    def _takes(self, socket: Socket, text: str | None) -> bool:
        socket.heard()
        return not socket.is_closing and self._line.is_welcome() and self._is_fine(socket, text)

    def _is_fine(self, socket: Socket, text: str | None) -> bool:
        limit = self._options.frame_limit
        if text is not None and (len(text) > limit or (not text.isascii() and len(text.encode()) > limit)):
            socket.close(TOO_BIG, "the frame is too big")
        elif text is None or is_binary(text):
            if self._line.complain is not None:
                self._line.complain(NOT_TEXT)
        elif is_packet(text):
            return True
        else:
            socket.close(POLICY, "this is not Engine.IO")
        return False
