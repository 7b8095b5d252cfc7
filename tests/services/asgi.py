"""An ASGI application behind each server that Parley runs on, in the test's own process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from hypercorn.asyncio import serve
from hypercorn.config import Config

from bootstrap.hypercorn_mends import mend_hypercorn

SERVERS = ("hypercorn", "uvicorn")
SEND_BUFFER = 32 * 1024
FRAME_LIMIT = 64 * 1024


def listener() -> socket.socket:
    """On a free port of 127.0.0.1."""
    listening = socket.socket()
    # Small, so that a client which does not read is noticed after kilobytes and not megabytes.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1_024)
    listening.setblocking(False)
    return listening


@asynccontextmanager
async def behind(server: str, app: Any, listening: socket.socket) -> AsyncIterator[None]:
    """The application served by `hypercorn` or `uvicorn`; the listener is closed at the end."""
    run = _hypercorn if server == "hypercorn" else _uvicorn
    async with run(app, listening):
        yield


@asynccontextmanager
async def _hypercorn(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    mend_hypercorn()
    config, stop = Config(), asyncio.Event()
    config.bind = [f"fd://{listening.detach()}"]
    config.websocket_max_message_size = FRAME_LIMIT
    config.graceful_timeout = 1.0
    config.accesslog = config.errorlog = None
    running = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    try:
        yield
    finally:
        stop.set()
        await running


@asynccontextmanager
async def _uvicorn(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        interface="asgi3",
        ws="websockets-sansio",
        ws_max_size=FRAME_LIMIT,
        ws_per_message_deflate=False,
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running
        listening.close()
