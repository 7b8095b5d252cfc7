"""Raw HTTP and WebSocket clients on asyncio protocols: cheap enough not to be what is measured."""

import asyncio
import base64
import json
import os
from collections.abc import Callable
from typing import Final, TypeVar, cast

GUARD: Final = 15.0
"""Seconds any single connect, handshake or answer may take."""

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class Refused(Exception):
    """The server closed, or answered something other than what the wire promises."""


def response_end(data: bytes) -> int:
    """Where the first HTTP response in `data` ends, or -1 while it is incomplete."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return -1
    fields = data[:head].lower()
    at = fields.find(b"content-length:")
    if at >= 0:
        end = head + 4 + int(fields[at + 15 :].split(b"\r", 1)[0])
        return end if len(data) >= end else -1
    if b"transfer-encoding: chunked" in fields:
        last = data.find(b"\r\n0\r\n\r\n", head)
        return last + 7 if last >= 0 else -1
    return head + 4


class Requests(asyncio.Protocol):
    """One keep-alive connection with at most one request under way; calls `answered(status, connection)`."""

    def __init__(self, answered: Callable[[int, "Requests"], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self.open = False
        self.idle = True
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if not self.idle:
            self._answered(0, self)

    def send(self, request: bytes, now: float) -> None:
        self.idle = False
        self.sent_at = now
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = response_end(data)
        if end < 0:
            self._buffer = data
            return
        self._buffer = data[end:]
        self.idle = True
        self._answered(int(data[9:12]), self)

    def close(self) -> None:
        self._transport.close()


class Socket(asyncio.Protocol):
    """A WebSocket client that offers no compression and answers pings.

    It is `ready` once a text frame holds `greeting`. Each later text frame goes to `on_text`, perhaps with
    its header still before it: who counts 100,000 of them a second does not want a copy.
    """

    def __init__(self, port: int, path: str, greeting: bytes, on_text: Callable[[bytes], None]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._hello = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        ).encode()
        self._greeting = greeting
        self.on_text = on_text
        self._live = False
        self._buffer = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._refuse("closed before it was ready")

    def _refuse(self, why: str) -> None:
        for future in (self.opened, self.ready):
            if not future.done():
                future.set_exception(Refused(why))
                future.exception()  # whoever waits still gets it; nobody waiting is no news

    def send(self, frame: object) -> None:
        self._write(TEXT, json.dumps(frame).encode())

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2, "big")
        self._transport.write(
            bytes([0x80 | opcode]) + length + b"\0\0\0\0" + payload
        )  # a mask of zeros is a mask

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        elif self._live and data[:2] == b"\x81\x7e" and len(data) == 4 + (data[2] << 8) + data[3]:
            self.on_text(data)  # exactly one text frame of the usual size
            return
        at = 0
        if not self.opened.done():
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._buffer = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self._refuse(data[:60].decode(errors="replace"))
                self._transport.close()
                return
            self.opened.set_result(None)
        self._buffer = self._frames(data, at)

    def _frames(self, data: bytes, at: int) -> bytes:
        """Handles the whole frames from `at` on and answers what is left."""
        have = len(data)
        while have - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                start, size = at + 4, int.from_bytes(data[at + 2 : at + 4], "big")
            elif size == 127:
                start, size = at + 10, int.from_bytes(data[at + 2 : at + 10], "big")
            if have < start or have < start + size:
                break
            opcode = data[at] & 0x0F
            at = start + size
            if opcode == TEXT:
                self._text(data[start:at])
            elif opcode == PING:
                self._write(PONG, data[start:at])
            elif opcode == CLOSE:
                self._transport.close()
        return data[at:]

    def _text(self, payload: bytes) -> None:
        if self._live:
            self.on_text(payload)
        elif self._greeting in payload:
            self._live = True
            self.ready.set_result(None)

    def close(self) -> None:
        self._transport.close()


P = TypeVar("P", bound=asyncio.Protocol)


async def connect(port: int, make: Callable[[], P]) -> P:
    async with asyncio.timeout(GUARD):
        _, protocol = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
    return protocol
