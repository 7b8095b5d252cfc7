"""What the database keeps of files: what they are, which messages carry them, which objects were written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.files.model import File


@dataclass(frozen=True, slots=True)
class Place:
    """Whose conversation it is."""

    shop_id: str
    conversation_id: str
    visitor_id: str | None


class Files(Protocol):
    def add(self, file: File) -> None: ...

    def save(self, file: File) -> None:
        """Raises ConcurrentUpdate when the stored version is another."""
        ...

    def find(self, conversation_id: str, number: int, *, lock: bool = False) -> File | None: ...

    def by_url(self, url: str) -> File | None:
        """The one that was given exactly this address."""
        ...

    def attach(self, message_id: str, files: Sequence[File]) -> None:
        """The message carries them, until it is deleted."""
        ...

    def waiting(self, conversation_id: str, now: datetime) -> int:
        """How many were begun that no message has carried yet, without those that can't come any more."""
        ...

    def by_put_digest(self, digest: str) -> File | None:
        """SYSTEM scope only."""
        ...

    def shown(self, key: str) -> File | None:
        """The stored one with this key, unless every message that carried it is gone. SYSTEM scope only."""
        ...

    def place_of(self, conversation_id: str) -> Place | None:
        """SYSTEM scope only."""
        ...

    def give_up_objects(self) -> None:
        """The shop's files are about to go: the next sweep takes what was stored of them, however new."""
        ...

    def drop_unused(self, before: datetime) -> int:
        """Forget those that no message carries and nobody has touched since then; says how many.

        SYSTEM scope only.
        """
        ...


class StoredObjects(Protocol):
    """Every object that was ever begun to be written, so that none is left behind. SYSTEM scope only.

    Rows come before the objects and go after them. They belong to no shop, and outlive what they
    belonged to.
    """

    def add(self, key: str, now: datetime) -> None: ...

    def orphans(self, before: datetime, limit: int) -> list[str]:
        """Keys that were written before then and belong to no file."""
        ...

    def forget(self, keys: Sequence[str]) -> None: ...
