"""A file's way out, and its end."""

from dataclasses import dataclass

from core.files.errors import FileNotFound
from core.files.model import KEPT_UNUSED, File
from ports.clock import Clock
from ports.db import SYSTEM, Database
from ports.storage import Content, ObjectMissing, Storage

SWEPT_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Whoever knows a file's address may read it: nobody can guess one."""

    db: Database
    storage: Storage

    async def find(self, *, key: str, name: str) -> File:
        """Raises FileNotFound: also when it was deleted, or its last message was."""
        file = await self.db.read(lambda tx: tx.files.shown(key), shop=SYSTEM)
        if file is None or file.path_name != name:
            raise FileNotFound
        return file

    async def content(self, file: File, *, start: int = 0, length: int | None = None) -> Content:
        """Its bytes, or a part of them. Raises FileNotFound or StorageDown."""
        try:
            return await self.storage.get(file.object_key or "", start=start, length=length)
        except ObjectMissing as error:
            raise FileNotFound from error


@dataclass(frozen=True, slots=True)
class SweepFiles:
    """Removes what no message carries any more or never did, and what broken uploads have left.

    Everything can be done again at any time: an object's row goes after the object.
    """

    db: Database
    clock: Clock
    storage: Storage

    async def __call__(self) -> int:
        """How many objects went. Raises StorageDown; what went before stays gone."""
        before = self.clock.now() - KEPT_UNUSED
        await self.db.transact(lambda tx: tx.files.drop_unused(before), shop=SYSTEM)
        swept = 0
        while keys := await self.db.read(lambda tx: tx.objects.orphans(before, SWEPT_AT_ONCE), shop=SYSTEM):
            for key in keys:
                await self.storage.delete(key)
            await self._forget(keys)
            swept += len(keys)
        return swept

    async def _forget(self, keys: list[str]) -> None:
        await self.db.transact(lambda tx: tx.objects.forget(keys), shop=SYSTEM)
