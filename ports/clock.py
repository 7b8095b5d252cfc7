"""Time and ids come from outside, so that a test can run a month in a millisecond."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware, in UTC, in whole milliseconds (what every database keeps)."""
        ...


class Ids(Protocol):
    def new(self) -> str:
        """An unguessable id whose text sorts by the time it was made (UUID version 7, 74 random bits)."""
        ...

    def secret(self) -> str:
        """256 random bits as URL-safe text, for keys, cookies and refresh tokens."""
        ...
