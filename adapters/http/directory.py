"""A directory whose files are served: found by a path that strangers send, and never outside of it."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

import structlog

from adapters.http.errors import Broken

CHUNK = 256 * 1024
PACKED = {"br": ".br", "gzip": ".gz"}
"""Content codings, the best first, and what the names of files end with that hold the same packed."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """`size` in bytes; `modified` in whole seconds, as HTTP tells it."""

    file: BinaryIO
    size: int
    modified: datetime
    etag: str
    coding: str | None

    def close(self) -> None:
        self.file.close()

    async def read(self, first: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes, and closes the file at the end. Raises Broken when somebody cuts the file meanwhile."""
        with self.file:
            self.file.seek(first)
            while length > 0:
                block = await asyncio.to_thread(self.file.read, min(CHUNK, length))
                if not block:
                    raise Broken
                length -= len(block)
                yield block


class Directory:
    """What lies in it may change, and it may be a link that is moved on to the next release."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open(self, name: str, codings: Sequence[str] = ()) -> OpenFile | None:
        """The file of that name, packed in the first of the `codings` that it is there in."""
        return await asyncio.to_thread(self._open, name, codings)

    async def has_folder(self, name: str) -> bool:
        return await asyncio.to_thread(self._has_folder, name)

    def _open(self, name: str, codings: Sequence[str]) -> OpenFile | None:
        path = self._inside(name)
        if path is None or not path.is_file():
            return None
        for coding in codings:
            packed = self._inside(name + PACKED[coding])
            if packed is not None and (found := _opened(packed, coding)):
                return found
        return _opened(path, None)

    def _has_folder(self, name: str) -> bool:
        path = self._inside(name)
        return path is not None and path.is_dir()

    def _inside(self, name: str) -> Path | None:
        """Where the name leads to, links followed, if that is within the directory and not hidden."""
        try:
            root = self._path.resolve(strict=True)
            path = (root / name).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        if not path.is_relative_to(root) or _is_hidden(path.relative_to(root).parts):
            return None
        return path


def is_decent(name: str) -> bool:
    """Whether a file could be called so, however often it was escaped: no steps upwards, nothing hidden."""
    for _ in range(3):
        if "\\" in name or not name.isprintable() or _is_hidden(name.split("/")):
            return False
        name = unquote(name)
    return True


def _is_hidden(parts: Sequence[str]) -> bool:
    return any(part.startswith(".") for part in parts)


def _opened(path: Path, coding: str | None) -> OpenFile | None:
    try:
        # Not to be held up by a pipe that has no writer.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except OSError as error:
        log.warning("file_not_served", reason=error.strerror, path=str(path))
        return None
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode):
        file.close()
        return None
    etag = f'"{state.st_mtime_ns:x}-{state.st_size:x}{"-" + coding if coding else ""}"'
    modified = datetime.fromtimestamp(int(state.st_mtime), UTC)
    return OpenFile(file, state.st_size, modified, etag, coding)
