"""The event bus of a single process, or of several that a test plays."""

import asyncio

from ports.bus import Listener


class MemoryBroker:
    """Connects the buses that share it."""

    def __init__(self) -> None:
        self._buses: list[MemoryBus] = []

    def join(self, bus: "MemoryBus") -> None:
        self._buses.append(bus)

    def leave(self, bus: "MemoryBus") -> None:
        if bus in self._buses:
            self._buses.remove(bus)

    def hand_on(self, message: bytes, *, sender: "MemoryBus") -> None:
        for bus in self._buses:
            if bus is not sender:
                bus.receive(message)


class MemoryBus:
    def __init__(self, broker: MemoryBroker | None = None) -> None:
        self._broker = broker or MemoryBroker()
        self._listener: Listener | None = None

    @property
    def is_up(self) -> bool:
        return self._listener is not None

    async def open(self, listener: Listener) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._broker.join(self)

    def publish(self, message: bytes) -> None:
        self._broker.hand_on(message, sender=self)

    async def close(self) -> None:
        self._broker.leave(self)
        self._listener = None

    def receive(self, message: bytes) -> None:
        """Later, as from a network: the sender neither waits for the listener nor meets its errors."""
        self._loop.call_soon(self._deliver, message)

    def _deliver(self, message: bytes) -> None:
        if self._listener is not None:
            self._listener(message)
