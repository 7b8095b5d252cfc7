"""Files in this process's memory, for tests and for a database that is in memory, too."""

from collections.abc import AsyncIterator

from adapters.providers.storage_keys import checked
from ports.storage import CHUNK, Content, ObjectMissing


class MemoryStorage:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        self.objects[checked(key)] = b"".join([chunk async for chunk in content])

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> Content:
        stored = self.objects.get(checked(key))
        if stored is None:
            raise ObjectMissing
        return _chunks(stored[start : None if length is None else start + length])

    async def exists(self, key: str) -> bool:
        return checked(key) in self.objects

    async def delete(self, key: str) -> None:
        self.objects.pop(checked(key), None)


async def _chunks(content: bytes) -> Content:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]
