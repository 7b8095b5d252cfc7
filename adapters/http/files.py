"""Files out of conversations: to whoever knows their address, and in a way that runs nothing in them."""

from collections.abc import AsyncGenerator
from urllib.parse import quote

from quart import Blueprint

from adapters.http.access import PUBLIC
from adapters.http.call import Call
from adapters.http.codec import endpoint
from adapters.http.errors import Header, RangeNotThere
from adapters.http.ranges import is_known, wanted
from adapters.http.reply import Reply, Streamed
from core.application import FileUseCases
from core.files.errors import FileNotFound
from core.files.model import File
from ports.storage import StorageDown

SANDBOX = b"default-src 'none'; sandbox; frame-ancestors 'none'"
KEPT = b"private, max-age=31536000, immutable"
"""Browsers may keep a file for a year, as its address never means another one. Caches of others may not: what
is deleted would go on being served."""


def blueprint(files: FileUseCases) -> Blueprint:
    routes = Blueprint("files", __name__, url_prefix="/files")

    @routes.get("/<id:key>/<id:name>")
    @endpoint(access=PUBLIC, returns=None, also=(206, 304), raises=(FileNotFound, RangeNotThere, StorageDown))
    async def serve(call: Call, key: str, name: str) -> Reply:
        """Give a file that was sent in a conversation, or the part that a Range asks for.

        Pictures show in the page; everything else is a download.
        """
        file = await files.read.find(key=key, name=name)
        etag = f'"{(file.sha256 or "")[:32]}"'
        headers = (*_headers(file), (b"etag", etag.encode()))
        if is_known(call, etag):
            return Reply(304, b"", headers, media=file.media.encode(), policy=SANDBOX, caching=KEPT)
        part = wanted(call, etag, file.size)
        if part is None:
            return await _whole(call, file, headers)
        first, last = part
        headers = (*headers, (b"content-range", b"bytes %d-%d/%d" % (first, last, file.size)))
        length = last - first + 1
        return _streamed(
            206, await files.read.content(file, start=first, length=length), length, file, headers
        )

    async def _whole(call: Call, file: File, headers: tuple[Header, ...]) -> Reply:
        content = _nothing() if call.method == "HEAD" else await files.read.content(file)
        return _streamed(200, content, file.size, file, headers)

    return routes


def _streamed(
    status: int, content: AsyncGenerator[bytes, None], length: int, file: File, headers: tuple[Header, ...]
) -> Streamed:
    media = file.media.encode()
    return Streamed(status, content, length, headers, media=media, policy=SANDBOX, caching=KEPT)


def _headers(file: File) -> tuple[Header, ...]:
    how = "inline" if file.kind.is_picture else "attachment"
    named = f"{how}; filename=\"{file.path_name}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    return (
        (b"accept-ranges", b"bytes"),
        (b"content-disposition", named.encode()),
        # Pages that isolate themselves may show it, too.
        (b"cross-origin-resource-policy", b"cross-origin"),
    )


async def _nothing() -> AsyncGenerator[bytes, None]:
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece
