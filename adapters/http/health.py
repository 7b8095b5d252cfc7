"""Whether the server is alive, whether it is ready for work, and its figures."""

from collections.abc import Callable, Mapping
from typing import Protocol

from quart import Blueprint

from adapters.http.access import PROBE
from adapters.http.codec import encode, endpoint
from adapters.http.reply import Reply
from adapters.wire.base import Out

OK = "ok"
DOWN = "down"


class Health(Protocol):
    async def ready(self) -> Mapping[str, str]:
        """Each component (database, bus, migrations): "ok…", "degraded: why" or "down: why". Never raises."""
        ...

    async def metrics(self) -> tuple[bytes, str]:
        """Figures of everything but HTTP, in Prometheus' text format, and its content type."""
        ...


class LiveOut(Out):
    status: str
    version: str


class ReadyOut(Out):
    """`status`: ok, degraded (works, with something missing) or down."""

    status: str
    components: dict[str, str]


def blueprint(health: Health, figures: Callable[[], bytes], version: str) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/health")
    @endpoint(access=PROBE, returns=LiveOut)
    async def live() -> LiveOut:
        """Tell that the process answers.

        Says nothing of what it stands on: a restart would not mend that. Ask /ready for it.
        """
        return LiveOut(status=OK, version=version)

    @routes.get("/ready")
    @endpoint(access=PROBE, returns=ReadyOut, also=(503,))
    async def ready() -> Reply:
        """Tell whether requests should be sent here: 503 while a component is down."""
        components = dict(await health.ready())
        words = {state.partition(":")[0] for state in components.values()}
        status = DOWN if DOWN in words else OK if words <= {OK} else "degraded"
        return Reply(503 if status == DOWN else 200, encode(ReadyOut(status=status, components=components)))

    @routes.get("/metrics")
    @endpoint(access=PROBE, returns=None)
    async def metrics() -> Reply:
        """Give the figures in Prometheus' text format."""
        others, media = await health.metrics()
        return Reply(200, others + figures(), media=media.encode())

    return routes
