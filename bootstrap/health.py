"""What /ready and /metrics tell."""

import asyncio
from collections.abc import Mapping

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from adapters.db.schema import head
from core.kernel import DomainError
from core.outages import SchemaBehind
from ports.bus import EventBus
from ports.db import SYSTEM, Database, DeliveryState

READY_SECONDS = 3.0
_DELIVERIES = Gauge("parley_deliveries", "Deliveries that wait or were given up", ["state"])
_BUS = Gauge("parley_bus_up", "Whether messages reach the other server processes")


class SystemHealth:
    """Satisfies adapters.http.health.Health."""

    def __init__(self, db: Database, bus: EventBus) -> None:
        self._db, self._bus = db, bus

    async def ready(self) -> Mapping[str, str]:
        """Each component's state: ok, degraded (late but nothing lost) or down (not fit to serve)."""
        database, migrations = await self._database()
        bus = "ok" if self._bus.is_up else "degraded: other processes hear of events late"
        return {"database": database, "migrations": migrations, "bus": bus}

    async def metrics(self) -> tuple[bytes, str]:
        _BUS.set(self._bus.is_up)
        try:
            counts = await self._db.read(lambda tx: tx.deliveries.count(), shop=SYSTEM)
        except DomainError:
            counts = {}
        for state in DeliveryState:
            _DELIVERIES.labels(state.value).set(counts.get(state, 0))
        return generate_latest(), CONTENT_TYPE_LATEST

    async def _database(self) -> tuple[str, str]:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._db.check()
        except SchemaBehind as behind:
            return "ok", f"down: {behind}"
        except DomainError as error:
            return f"down: {error}", "unknown"
        except TimeoutError:
            return "down: it does not answer", "unknown"
        return "ok", f"ok: {head()}"
