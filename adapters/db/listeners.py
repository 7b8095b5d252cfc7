"""Those who want to hear of commits."""

from collections.abc import Callable

import structlog

from ports.db import Committed

log = structlog.get_logger(__name__)


class Listeners:
    def __init__(self) -> None:
        self._listeners: list[Callable[[Committed], None]] = []

    def add(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def tell(self, committed: Committed | None) -> None:
        """A listener's mistake must not make anybody think that what is committed is not."""
        if committed is None:
            return
        for listener in self._listeners:
            try:
                listener(committed)
            except Exception:
                log.exception("listener_failed")
