"""Reads archives that may come from anywhere: nothing in one is believed that its manifest does not prove."""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.archives.manifest import LINE_LIMIT, MANIFEST, SEAL, Entry, Manifest, decoded, refuse

CHUNK = 256 * 1024
MANIFEST_LIMIT = 256 * 1024 * 1024
SWELLS_TO = 200
"""How many times its own size an archive may unpack to. Rows hold random ids, which don't compress."""

SMALL = 16 * 1024 * 1024
"""Bytes that an archive of any size may unpack to."""

DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, OverflowError, IndexError, RuntimeError),
)
"""What zipfile raises for bytes that make no sense. NotImplementedError, for what it does not know, is a
RuntimeError."""


class Archive:
    """A context: an open archive whose manifest is proved, and names exactly what is there."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, or ArchiveRefused naming the entry."""
        self._file = path.open("rb")
        try:
            with _told(path.name):
                self._zip = zipfile.ZipFile(self._file)
            self._size = path.stat().st_size
            self._infos = _infos(self._zip)
            self._check_sizes()
            self.digest, self.manifest = self._proved_manifest()
            self._check_names()
            self.entries = {entry.name: entry for entry in self.manifest.entries}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()
        self._file.close()

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Its content. Raises ArchiveRefused, at the end when it is not what the manifest says."""
        digest, size = hashlib.sha256(), 0
        with _told(entry.name), self._zip.open(entry.name) as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        if (digest.hexdigest(), size) != (entry.sha256, entry.bytes):
            refuse(entry.name, "is not what the manifest says")

    def lines(self, entry: Entry) -> Iterator[bytes]:
        """Its rows, without their ends. Raises ArchiveRefused."""
        rest, rows = b"", 0
        for chunk in self.chunks(entry):
            *whole, rest = (rest + chunk).split(b"\n")
            rows += len(whole)
            yield from whole
            if len(rest) > LINE_LIMIT:
                refuse(entry.name, f"has a row of more than {LINE_LIMIT} bytes")
        if rest or rows != entry.rows:
            refuse(entry.name, "has another number of rows than the manifest says")

    def _check_sizes(self) -> None:
        """Before anything is unpacked: entries that overlap, and those that swell to more than any disk."""
        if sum(info.compress_size for info in self._infos.values()) > self._size:
            refuse("the directory", "names more than there is")
        for info in self._infos.values():
            is_file = info.filename.startswith("files/")
            allowed = {zipfile.ZIP_STORED} if is_file else {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
            if info.compress_type not in allowed or info.flag_bits & 1:
                refuse(info.filename, "is packed in another way than archives are")
        if sum(info.file_size for info in self._infos.values()) > max(SMALL, SWELLS_TO * self._size):
            refuse("the directory", "names more than can be in an archive of this size")

    def _proved_manifest(self) -> tuple[str, Manifest]:
        content, seal = (self._small(name) for name in (MANIFEST, SEAL))
        digest = hashlib.sha256(content).hexdigest()
        if seal != f"{digest}\n".encode():
            refuse(MANIFEST, f"is not what {SEAL} says")
        return digest, decoded(content)

    def _small(self, name: str) -> bytes:
        if name not in self._infos:
            refuse(name, "is missing")
        if self._infos[name].file_size > MANIFEST_LIMIT:
            refuse(name, "is too large")
        with _told(name):
            return self._zip.read(name)

    def _check_names(self) -> None:
        there, named = list(self._infos), [*(entry.name for entry in self.manifest.entries), MANIFEST, SEAL]
        for name in sorted(set(named) - set(there)):
            refuse(name, "is missing")
        for name in sorted(set(there) - set(named)):
            refuse(name, "is not in the manifest")
        if there != named:
            refuse("the directory", "has another order than the manifest")
        for entry in self.manifest.entries:
            if self._infos[entry.name].file_size != entry.bytes:
                refuse(entry.name, "is not what the manifest says")


def _infos(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.filename in infos:
            refuse(info.filename, "is there twice")
        infos[info.filename] = info
    return infos


@contextmanager
def _told(entry: str) -> Iterator[None]:
    """What the library says of damage is of many kinds: it was not written for what strangers send."""
    try:
        yield
    except DAMAGE as error:
        refuse(entry, f"is cut off or damaged: {error}")
