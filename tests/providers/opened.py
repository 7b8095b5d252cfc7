"""Buses at work."""

import asyncio
from contextlib import asynccontextmanager


@asynccontextmanager
async def opened(*buses):
    """With what each of them has heard."""
    heard = [[] for _ in buses]
    for bus, messages in zip(buses, heard, strict=True):
        await bus.open(messages.append)
    try:
        yield heard
    finally:
        await asyncio.gather(*(bus.close() for bus in buses))
