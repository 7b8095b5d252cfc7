"""Reads a shop's settings with suspicion: they are checked when they are saved, but live longer than rules.

What can't be made sense of counts as not said, and its place is noted.
"""

from collections.abc import Iterable, Mapping
from math import isfinite, nan
from typing import Any


class Part:
    """A part of the settings. `unreadable`: the places in the whole of it that were passed over."""

    def __init__(self, said: Any, place: str = "", unreadable: list[str] | None = None) -> None:
        self.unreadable: list[str] = [] if unreadable is None else unreadable
        self._place = place
        self._said: Mapping[str, Any] = {}
        if isinstance(said, Mapping):
            self._said = said
        elif said is not None:
            self.unreadable.append(place.removesuffix("."))

    def part(self, name: str) -> "Part":
        return Part(self._said.get(name), f"{self._place}{name}.", self.unreadable)

    def parts(self, name: str) -> Iterable["Part"]:
        entries = self._said.get(name)
        if isinstance(entries, list | tuple):
            for index, entry in enumerate(entries):
                yield Part(entry, f"{self._place}{name}.{index}.", self.unreadable)
        elif entries is not None:
            self.pass_over(name)

    def text(self, name: str) -> str:
        value = self._said.get(name)
        if isinstance(value, str):
            return value
        if value is not None:
            self.pass_over(name)
        return ""

    def any(self, name: str) -> Any:
        return self._said.get(name)

    def number(self, name: str) -> float:
        try:
            number = float(self._said.get(name) or 0)
        except (TypeError, ValueError, OverflowError):
            number = nan
        if isfinite(number):
            return number
        self.pass_over(name)
        return 0

    def is_on(self, name: str, *, unless_said: bool = True) -> bool:
        return bool(self._said.get(name, unless_said))

    def texts(self) -> dict[str, str]:
        """All of its entries that are texts with something in them."""
        return {
            str(name): value for name, value in self._said.items() if isinstance(value, str) and value.strip()
        }

    def pass_over(self, name: str) -> None:
        """Note that what is said there makes no sense."""
        self.unreadable.append(f"{self._place}{name}")
