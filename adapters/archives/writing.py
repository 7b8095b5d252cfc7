"""Writes an archive: entry by entry, hashed on the way, its manifest at the end."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from adapters.archives.manifest import ACCOUNTS, MANIFEST, SEAL, Entry, Manifest, encoded

UNFINISHED = ".part"
_ONLY_ITS_OWNERS = 0o600 << 16
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Sink:
    """One entry's content on its way."""

    def __init__(self, target: IO[bytes], name: str) -> None:
        self._target, self._name = target, name
        self._digest, self._bytes, self._rows = hashlib.sha256(), 0, 0

    def write(self, content: bytes, *, rows: int = 0) -> None:
        self._target.write(content)
        self._digest.update(content)
        self._bytes += len(content)
        self._rows += rows

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    @property
    def bytes(self) -> int:
        return self._bytes

    def entry(self) -> Entry:
        is_table = self._name == ACCOUNTS or self._name.startswith("tables/")
        return Entry(self._name, self._rows if is_table else None, self._bytes, self.sha256)


class ArchiveWriter:
    """A context: the archive appears whole under its name at the end, or not at all.

    Nobody but its owner may read it: it holds what customers said.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path, self._part = path, path.with_name(path.name + UNFINISHED)
        self._file = os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w")
        self.entries: list[Entry] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._give_up()

    @contextmanager
    def entry(self, name: str, *, compressed: bool) -> Iterator[Sink]:
        """Uploaded files go in as they are: they hardly shrink, and can't turn out larger than they look."""
        with self._zip.open(_info(name, compressed=compressed), "w", force_zip64=True) as target:
            sink = Sink(target, name)
            yield sink
        self.entries.append(sink.entry())

    def finish(self, manifest: Manifest) -> str:
        """Returns the manifest's SHA-256, which proves all the rest."""
        content = encoded(manifest)
        digest = hashlib.sha256(content).hexdigest()
        self._zip.writestr(_info(MANIFEST, compressed=True), content)
        self._zip.writestr(_info(SEAL, compressed=False), f"{digest}\n")
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        return digest

    def _give_up(self) -> None:
        # It would end itself later, on a file that is closed.
        with suppress(OSError, ValueError):
            self._zip.close()
        self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def _info(name: str, *, compressed: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    info.external_attr = _ONLY_ITS_OWNERS
    return info
