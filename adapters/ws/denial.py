"""A refused handshake is answered like any refused request: in JSON, with RFC 9457's members."""

import asyncio
import os
from contextlib import suppress
from http import HTTPStatus

import msgspec
import structlog

from adapters.ws.asgi import Receive, Scope, Send
from adapters.ws.door import Denied
from adapters.ws.trouble import Trouble
from core.kernel import DomainError, Kind

log = structlog.get_logger(__name__)

RETRY_WHEN_UNAVAILABLE = 2
"""Seconds."""

LINGER_SECONDS = 0.05


def denied(error: Exception) -> Denied:
    """What nobody expected is in the log, once."""
    if isinstance(error, Denied):
        return error
    if not isinstance(error, DomainError):
        log.error("handshake failed", exc_info=error)
        return Denied(500, "internal_error", "Something went wrong on our side")
    if error.kind is Kind.UNAVAILABLE:
        return Denied(503, error.code, str(error), retry_after=RETRY_WHEN_UNAVAILABLE)
    return Denied(401, error.code, str(error))


async def deny(scope: Scope, receive: Receive, send: Send, denial: Denied) -> None:
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    body = body_of(denial.trouble, denial.status)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    if denial.retry_after is not None:
        headers.append((b"retry-after", str(denial.retry_after).encode()))
    await send({"type": "websocket.http.response.start", "status": denial.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
    # Uvicorn writes an error into its log unless the connection is gone by the time we return.
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await receive()
            await receive()


def body_of(trouble: Trouble, status: int) -> bytes:
    """The fields of both dialects: which one is asking is not known yet."""
    return msgspec.json.encode(
        {
            "success": False,
            "error": trouble.detail,
            "message": trouble.detail,
            "code": trouble.code,
            "type": f"urn:parley:problem:{trouble.code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": trouble.detail,
            "requestId": os.urandom(12).hex(),
        }
    )
