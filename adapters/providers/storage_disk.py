"""Files in a directory of this machine."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import structlog

from adapters.providers.storage_keys import checked
from ports.storage import CHUNK, Content, ObjectMissing, StorageDown

T = TypeVar("T")
log = structlog.get_logger(__name__)
UNFINISHED = ".part"


class DiskStorage:
    """An object is a file that appears whole, under its name, once everything of it is on the disk.

    Every step that may wait for the disk runs in a thread.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        path = self._path(key)
        part = path.with_name(path.name + UNFINISHED)
        try:
            with await _in_thread(_created, part) as file:
                async for block in _blocks(content):
                    await _in_thread(file.write, block)
                await _in_thread(_publish, file, part, path)
        except BaseException:
            # Not awaited: after a cancellation nothing may wait any more.
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> Content:
        try:
            file = await _in_thread(_opened, self._path(key), start)
        except FileNotFoundError as error:
            raise ObjectMissing from error
        return _read(file, length)

    async def exists(self, key: str) -> bool:
        return await _in_thread(self._path(key).is_file)

    async def delete(self, key: str) -> None:
        await _in_thread(_removed, self._path(key))

    def _path(self, key: str) -> Path:
        return self._directory / checked(key)


async def _in_thread(step: Callable[..., T], *arguments: Any) -> T:
    """Raises FileNotFoundError, and StorageDown for all else that the disk refuses: the log has it."""
    try:
        return await asyncio.to_thread(step, *arguments)
    except FileNotFoundError:
        raise
    except OSError as error:
        log.error("storage failed", reason=error.strerror, path=error.filename)
        raise StorageDown from error


async def _blocks(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Servers hand out small pieces: fewer, larger writes cost fewer changes of thread."""
    block = bytearray()
    async for chunk in content:
        block += chunk
        if len(block) >= CHUNK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


async def _read(file: BinaryIO, length: int | None) -> Content:
    try:
        while length is None or length > 0:
            block = await _in_thread(file.read, CHUNK if length is None else min(CHUNK, length))
            if not block:
                return
            if length is not None:
                length -= len(block)
            yield block
    finally:
        file.close()


def _created(part: Path) -> BinaryIO:
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _opened(path: Path, start: int) -> BinaryIO:
    file = path.open("rb")
    file.seek(start)
    return file


def _publish(file: BinaryIO, part: Path, path: Path) -> None:
    """On the disk first, then under its name, and the name on the disk, too."""
    file.flush()
    os.fsync(file.fileno())
    part.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _removed(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(path.name + UNFINISHED).unlink(missing_ok=True)
