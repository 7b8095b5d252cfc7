"""Runs the service on the server that the settings name, and stops it without cutting anything short."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from bootstrap.refusals import uvicorn_protocol
from bootstrap.settings import Server, Settings
from bootstrap.web import Service

FRAME_LIMIT = 64 * 1024
SLOW_HEADER_SECONDS = 5.0
PING_SECONDS = 20.0
BACKLOG = 1024


def run(service: Service, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; a second signal ends at once."""
    with _bound(settings) as listener, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(service, settings, listener))


async def _serve(service: Service, settings: Settings, listener: socket.socket) -> None:
    """Opens and closes the service out here: in ASGI's lifespan a failure becomes a traceback."""
    service.at_start(_calm_collector)
    serve = _hypercorn if settings.server is Server.HYPERCORN else _uvicorn
    stop = _stop_signal()
    try:
        await service.start()
        await serve(service, settings, listener, stop)
    finally:
        await service.stop()


def _bound(settings: Settings) -> socket.socket:
    """The address is taken before anything is opened, and not listened to until everything is."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"Can't listen on port {settings.port} of {settings.host}: {error.strerror}."
            " Set HOST and PORT, or stop what is there."
        ) from None
    return listener


async def _calm_collector() -> None:
    """Look for garbage less often, and never again among what start-up has built.

    A full collection walks every module and route and stops all requests for a tenth of a second. It alone
    made the slowest hundredth of posts three times as slow (112 ms, without it 35 ms).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _stop_signal() -> asyncio.Event:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def received() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received)
    return stop


async def _hypercorn(
    service: Service, settings: Settings, listener: socket.socket, stop: asyncio.Event
) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from bootstrap.hypercorn_mends import mend_hypercorn

    mend_hypercorn()

    async def drained() -> None:
        await stop.wait()
        await service.drain()

    asyncio.get_running_loop().set_exception_handler(_told)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.backlog = BACKLOG
    config.keep_alive_timeout = SLOW_HEADER_SECONDS
    config.websocket_ping_interval = PING_SECONDS
    config.websocket_max_message_size = FRAME_LIMIT
    config.graceful_timeout = settings.shutdown_seconds / 2
    config.shutdown_timeout = settings.shutdown_seconds
    config.include_server_header = False
    config.include_date_header = True
    config.accesslog = None
    config.errorlog = "-"
    config.loglevel = "WARNING"
    await serve(service, config, shutdown_trigger=drained)  # type: ignore[arg-type]


async def _uvicorn(
    service: Service, settings: Settings, listener: socket.socket, stop: asyncio.Event
) -> None:
    try:
        import uvicorn
    except ImportError:
        raise SystemExit("PARLEY_SERVER=uvicorn needs the extra: pip install 'parley[uvicorn]'") from None

    config = uvicorn.Config(
        service,
        lifespan="off",
        http=uvicorn_protocol(),
        backlog=BACKLOG,
        ws="websockets-sansio",
        ws_max_size=FRAME_LIMIT,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        timeout_keep_alive=int(SLOW_HEADER_SECONDS),
        timeout_graceful_shutdown=max(1, int(settings.shutdown_seconds / 2)),
        server_header=False,
        proxy_headers=False,  # it would believe whatever comes from this machine
        access_log=False,
        log_config=None,
    )

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            """Signals are ours: sockets are sent away before the server stops."""
            yield

    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
    server = Server(config)

    async def stopping() -> None:
        await stop.wait()
        await service.drain()
        server.should_exit = True

    watch = asyncio.create_task(stopping())
    try:
        await server.serve(sockets=[listener])
    finally:
        watch.cancel()


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Requests that Uvicorn cancels at the end are no errors."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Connections that Hypercorn cancels at the end are no errors; CPython 3.11 reports them as such."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
