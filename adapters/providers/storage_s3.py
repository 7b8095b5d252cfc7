"""Files in a bucket of S3 or of anything that speaks like it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from adapters.providers.storage_keys import checked
from ports.storage import CHUNK, Content, ObjectMissing, StorageDown

log = structlog.get_logger(__name__)

PART = 5 * 1024 * 1024
"""The smallest part that S3 takes, and so what an upload holds in memory."""

BLOCK = 4 * CHUNK
"""What is fetched at once."""

CONNECT_SECONDS = 5
REQUEST_SECONDS = 60
RETRIES = 2


class S3Storage:
    """`prefix` goes before every key. Without credentials the machine's own role is asked for some."""

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint: str | None = None,
        region: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
    ) -> None:
        config = {
            "endpoint": endpoint,
            "region": region,
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "session_token": session_token,
        }
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config={name: value for name, value in config.items() if value},  # type: ignore[arg-type]
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=REQUEST_SECONDS)},
        )

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        """What fits into one part takes one request; more goes in parts, of which only all count."""
        checked(key)
        head = bytearray()
        async for chunk in content:
            head += chunk
            if len(head) >= PART:
                break
        else:
            with _told():
                await obstore.put_async(self._store, key, bytes(head), use_multipart=False)
            return
        rest = _Rest(bytes(head), content)
        try:
            with _told():
                await obstore.put_async(self._store, key, rest.pieces(), chunk_size=PART, max_concurrency=1)
        except StorageDown:
            if rest.error is not None:
                raise rest.error from None
            raise

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> Content:
        end = None if length is None else start + length
        return self._blocks(key, start, end, *await self._block(key, start, end))

    async def _block(self, key: str, start: int, end: int | None) -> tuple[bytes, int]:
        """The bytes from `start` on, one block at most, and the size of the object."""
        last = start + BLOCK if end is None else min(start + BLOCK, end)
        with _told():
            found = await obstore.get_async(self._store, checked(key), options={"range": (start, last)})
            return bytes(await found.bytes_async()), found.meta["size"]

    async def _blocks(self, key: str, start: int, end: int | None, block: bytes, size: int) -> Content:
        """However slowly they are taken, no connection to the bucket waits."""
        end = size if end is None else min(end, size)
        while True:
            for offset in range(0, len(block), CHUNK):
                yield block[offset : offset + CHUNK]
            start += len(block)
            if start >= end or not block:
                return
            block, _ = await self._block(key, start, end)

    async def exists(self, key: str) -> bool:
        try:
            with _told():
                await obstore.head_async(self._store, checked(key))
        except ObjectMissing:
            return False
        return True

    async def delete(self, key: str) -> None:
        with _told():
            await obstore.delete_async(self._store, checked(key))


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong is in the log, with the bucket's own words; these are not for clients."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing from error
    except (BaseError, OSError) as error:
        log.error("storage failed", reason=str(error).partition("\n")[0][:500])
        raise StorageDown from error


class _Rest:
    """What was read already and what comes after it; `error` is its own, not the bucket's."""

    def __init__(self, head: bytes, content: AsyncIterator[bytes]) -> None:
        self._head, self._content = head, content
        self.error: Exception | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        yield self._head
        try:
            async for chunk in self._content:
                yield chunk
        except Exception as error:
            self.error = error
            raise
