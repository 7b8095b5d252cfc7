"""Engine.IO without a WebSocket: a client fetches its packets with GET, and brings its own with POST.

The widget needs none of it. Other clients begin so, and stay with it where a proxy lets no WebSocket through.
All requests of a client have to come to the same process.
"""

import asyncio
import re
from collections.abc import Iterable

from adapters.ws.asgi import Receive, Scope, Send
from adapters.ws.denial import body_of
from adapters.ws.door import Denied
from adapters.ws.options import WsOptions
from adapters.ws.socketio.carrier import is_packet
from adapters.ws.socketio.line import Line

SEPARATOR = "\x1e"
PACKETS_LIMIT = 16
"""Of one POST; the library takes no more either."""

BODY_SECONDS = 10.0

Header = tuple[bytes, bytes]

_WEB_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_ALWAYS: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"origin"),
)
_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"600"),
)


class Exchange:
    """One request and its answer, which any page may read: no cookies are looked at here."""

    def __init__(self, receive: Receive, send: Send, origin: str | None) -> None:
        self._receive, self._send = receive, send
        self._headers = _ALWAYS
        self.is_answered = False
        if origin is not None and _WEB_ORIGIN.fullmatch(origin):
            self._headers = (*_ALWAYS, (b"access-control-allow-origin", origin.encode("latin-1")))

    async def deny(self, denial: Denied) -> None:
        more = [] if denial.retry_after is None else [(b"retry-after", str(denial.retry_after).encode())]
        await self._answer(denial.status, body_of(denial.trouble, denial.status), more)

    async def preflight(self) -> None:
        await self._answer(204, b"", _PREFLIGHT)

    async def send(self, message: Scope) -> None:
        """The library's answer, with our headers."""
        if message["type"] == "http.response.start":
            self.is_answered = True
            message = {**message, "headers": [*_lower(message["headers"]), *self._headers]}
        await self._send(message)

    async def body(self, options: WsOptions) -> str:
        """Raises Denied."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return (await self._read(options.frame_limit)).decode()
        except TimeoutError:
            raise Denied(408, "body_timeout", "The body did not arrive in time") from None
        except UnicodeDecodeError:
            raise Denied(400, "invalid_packet", "Packets are text in UTF-8") from None

    async def gone(self) -> None:
        """Returns when the client has given the request up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _read(self, limit: int) -> bytes:
        body, more = bytearray(), True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise Denied(400, "incomplete_body", "The body ended too early")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > limit:
                raise Denied(413, "body_too_large", f"The body may have at most {limit} bytes")
        return bytes(body)

    async def _answer(self, status: int, body: bytes, more: Iterable[Header] = ()) -> None:
        kind = [(b"content-type", b"application/json")] if body else []
        size = (b"content-length", str(len(body)).encode())
        headers = [*kind, size, *self._headers, *more]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def check_packets(line: Line, body: str) -> None:
    """Look at what a client has brought before the library does. Raises Denied."""
    packets = body.split(SEPARATOR)
    if len(packets) > PACKETS_LIMIT or not all(map(is_packet, packets)):
        rule = f"Send up to {PACKETS_LIMIT} packets of Engine.IO, without binary data"
        raise Denied(400, "invalid_packet", rule)
    if not all(line.is_welcome() for _ in packets):
        raise Denied(429, "rate_limited", "Too many packets; slow down", retry_after=1)


def replayed(body: str) -> Receive:
    """A body that was read already."""

    async def receive() -> Scope:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    return receive


def _lower(headers: Iterable[Header]) -> list[Header]:
    return [(name.lower(), value) for name, value in headers]
