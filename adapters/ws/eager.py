"""Runs an awaitable until it has to wait for something, without a task.

Almost every send ends at once: it only copies bytes into the transport's buffer. A task for each would cost a
fifth of a fan-out's time on Hypercorn and a third on Uvicorn, and would queue what could be gone already.
"""

from collections.abc import Awaitable, Generator
from typing import Any


class Begun:
    """An awaitable on its way. Await it to see it through."""

    __slots__ = ("_steps", "_waits_for")

    def __init__(self, steps: Generator[Any, Any, None], waits_for: Any) -> None:
        self._steps, self._waits_for = steps, waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    yield waits_for
                except BaseException as error:  # a cancellation above all: it belongs inside
                    waits_for = self._steps.throw(error)
                else:
                    waits_for = next(self._steps)
            except StopIteration:
                return


def begin(awaitable: Awaitable[None]) -> Begun | None:
    """None when it is done already. What it raises comes out."""
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
    except StopIteration:
        return None
    return Begun(steps, waits_for)
