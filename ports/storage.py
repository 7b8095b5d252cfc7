"""Where files are kept: named bytes, written once, read whole or in part."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from core.kernel import DomainError, Kind

CHUNK = 256 * 1024
"""About how many bytes a reader gets at a time."""


Content = AsyncGenerator[bytes, None]
"""Has to be read to its end, or closed (`aclose`): it may hold a file or a connection."""


class ObjectMissing(DomainError):
    """Nothing is stored under this key."""

    kind = Kind.NOT_FOUND
    code = "object_missing"
    says = "The file's content is not there"


class StorageDown(DomainError):
    kind = Kind.UNAVAILABLE
    code = "storage_down"
    says = "The storage for files is out of reach; try again in a moment"


class Storage(Protocol):
    """Keys are made by Parley: letters, digits, hyphens and underscores, in parts between slashes.

    Every method raises StorageDown when the storage is out of reach or full, ValueError for another key.
    """

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Store everything that comes, however long it takes; it is there for good when this returns.

        Holds no more than a part of it in memory. When `content` raises, nothing is stored and the error
        comes out. Whoever is cancelled can't know whether it is stored.
        """
        ...

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> Content:
        """The bytes from `start` on, all of them or `length`, in chunks. Raises ObjectMissing at once."""
        ...

    async def exists(self, key: str) -> bool: ...

    async def delete(self, key: str) -> None:
        """Remove it, and what an interrupted `put` may have left of it. Nothing to remove is fine, too."""
        ...
