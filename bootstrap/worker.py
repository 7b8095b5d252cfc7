"""`parley worker`: relay and courier alone, for set-ups that keep them apart from the web."""

import asyncio
import signal

import structlog

from bootstrap.container import Container, closable
from bootstrap.courier import Courier
from bootstrap.feed import LiveFeed
from bootstrap.housekeeping import Housekeeping
from bootstrap.relay import Relay
from bootstrap.subscribers import handlers
from core.conversations.signals import Signal
from ports.db import Recorded

log = structlog.get_logger(__name__)


class Nobody:
    """A worker has no sockets: its feed only tells the other processes."""

    def deliver(self, recorded: Recorded) -> None: ...

    def signal(self, shop_id: str, signal: Signal) -> None: ...


def run(container: Container) -> None:
    """Work until SIGTERM or SIGINT, then finish what runs."""
    asyncio.run(_work(container))


async def _work(container: Container) -> None:
    settings, db, clock = container.settings(), container.db(), container.clock()
    await db.check()
    relay = Relay(db, handlers(container.application()), clock, settings.handler_lease)
    courier = Courier(db, container.application().webhooks.serve)
    housekeeping = Housekeeping(
        db,
        clock,
        container.answers(),
        container.application().files.sweep,
        events_kept=settings.events_kept,
        webhooks_kept=settings.webhooks_kept,
        notifications_kept=settings.notifications_kept,
    )
    feed = LiveFeed(db, container.bus(), Nobody())
    await feed.open()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    relay.start()
    courier.start()
    housekeeping.start()
    log.info("worker runs")
    await stop.wait()
    await asyncio.gather(relay.stop(settings.shutdown_seconds), courier.stop(settings.shutdown_seconds))
    await housekeeping.stop()
    await feed.close()
    await db.close()
    for part in closable(container.assistant(), container.webhook_sender(), container.push_sender()):
        await part.close()
