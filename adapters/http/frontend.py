"""A built front end, served beside the API: whatever no route knows is its business.

A path that is a file gets the file. Any other is a place within the page, which finds its way by itself once
it is loaded; but what looks like a file and is none is not found, as a page makes a poor script.
"""

from collections.abc import AsyncGenerator, Set
from pathlib import Path, PurePosixPath
from typing import TypedDict

from quart import Blueprint
from werkzeug.http import http_date, parse_accept_header

from adapters.http.access import Access, Who
from adapters.http.call import Call
from adapters.http.codec import View, endpoint
from adapters.http.directory import PACKED, Directory, OpenFile, is_decent
from adapters.http.documents import PAGES
from adapters.http.errors import Header, RangeNotThere, RouteNotFound
from adapters.http.media import is_hashed, is_known_kind, kind_of
from adapters.http.ranges import is_known, wanted
from adapters.http.reply import REFERRER, Reply, Streamed

INDEX = "index.html"
WORKER = "sw.js"
ROUTE = "(front end)"
"""What logs and figures call it: the paths are anybody's."""
PAGE_FILES = Access(who=Who.ANYONE, per_address="pages_per_address")

FRAMED_BY_ITSELF = b"frame-ancestors 'self'"
"""What pages may load and where they may call is theirs to say, in a tag of their own."""
ASK_AGAIN = b"no-cache"
FOR_EVER = b"public, max-age=31536000, immutable"
REFERRED: Header = (REFERRER, b"strict-origin-when-cross-origin")
AT_THE_ROOT: Header = (b"service-worker-allowed", b"/")

OURS = frozenset(
    {"api", "docs", "embed", "files", "health", "metrics", "oauth", "openapi.json", "ready", "socket.io"}
    | {"webchat", "webhook", "ws"}
)
"""First parts of paths below which nothing is the front end's, whether a route is there or not."""


class _About(TypedDict):
    media: bytes
    policy: bytes
    caching: bytes


class Frontend:
    def __init__(self, directory: Path) -> None:
        self._directory = Directory(directory)

    async def answer(self, call: Call) -> Reply:
        """Raises RouteNotFound or RangeNotThere."""
        name = call.path.lstrip("/")
        if not is_decent(name):
            raise RouteNotFound
        return await self.file(call, name) or await self._page(call, name)

    async def file(self, call: Call, name: str) -> Reply | None:
        """None when there is no such file. Raises RangeNotThere."""
        is_place = name == "" or name.endswith("/")
        found = None if is_place else await self._directory.open(name, _codings(call))
        return None if found is None else _reply(call, name, found)

    async def _page(self, call: Call, name: str) -> Reply:
        if await self._looks_like_a_file(name):
            raise RouteNotFound
        page = await self.file(call, INDEX)
        if page is None:
            raise RouteNotFound
        return page

    async def _looks_like_a_file(self, name: str) -> bool:
        path = PurePosixPath(name)
        if is_known_kind(name):
            return True
        folder = str(path.parent)
        return "." in path.name and folder != "." and await self._directory.has_folder(folder)


def view_of(frontend: Frontend) -> View:
    """What shows it, declared as routes are."""

    @endpoint(access=PAGE_FILES, returns=None, raises=(RouteNotFound, RangeNotThere))
    async def show(call: Call) -> Reply:
        """Give a page or a file of the front end."""
        return await frontend.answer(call)

    return show


def is_for_pages(call: Call, routes: Set[str]) -> bool:
    """Whether a request that no route knows is for the front end; `routes` are their paths' first parts."""
    first = first_part(call.path)
    return call.method in {"GET", "HEAD"} and first not in OURS and first not in routes


def first_part(path: str) -> str:
    return path.lstrip("/").partition("/")[0]


def blueprint(frontend: Frontend | None) -> Blueprint:
    routes = Blueprint("frontend", __name__)
    ours = (PAGES / WORKER).read_bytes()

    @routes.get(f"/{WORKER}")
    @endpoint(access=PAGE_FILES, returns=None, also=(206, 304), raises=(RangeNotThere,))
    async def service_worker(call: Call) -> Reply:
        """Give the page its service worker, which shows notifications: the front end's own if it has one."""
        own = None if frontend is None else await frontend.file(call, WORKER)
        return own or Reply(200, ours, (REFERRED, AT_THE_ROOT), **_about(WORKER))

    return routes


def _reply(call: Call, name: str, found: OpenFile) -> Reply:
    headers = _headers(name, found)
    about = _about(name)
    if is_known(call, found.etag, found.modified):
        found.close()
        return Reply(304, b"", headers, **about)
    try:
        part = wanted(call, found.etag, found.size)
    except RangeNotThere:
        found.close()
        raise
    if part is None:
        return Streamed(200, _content(call, found, 0, found.size), found.size, headers, **about)
    first, last = part
    headers += ((b"content-range", b"bytes %d-%d/%d" % (first, last, found.size)),)
    length = last - first + 1
    return Streamed(206, _content(call, found, first, length), length, headers, **about)


def _about(name: str) -> _About:
    caching = FOR_EVER if is_hashed(name) else ASK_AGAIN
    return {"media": kind_of(name), "policy": FRAMED_BY_ITSELF, "caching": caching}


def _content(call: Call, found: OpenFile, first: int, length: int) -> AsyncGenerator[bytes, None]:
    if call.method == "HEAD":
        found.close()
    return found.read(first, length)


def _headers(name: str, found: OpenFile) -> tuple[Header, ...]:
    headers: list[Header] = [
        (b"etag", found.etag.encode()),
        (b"last-modified", http_date(found.modified).encode()),
        (b"accept-ranges", b"bytes"),
        (b"vary", b"Accept-Encoding"),
        REFERRED,
    ]
    if found.coding is not None:
        headers.append((b"content-encoding", found.coding.encode()))
    if name == WORKER:
        headers.append(AT_THE_ROOT)
    return tuple(headers)


def _codings(call: Call) -> list[str]:
    """Those of ours that the client takes, best first. Parts are only ever parts of the plain file."""
    if b"range" in call.headers:
        return []
    accepted = parse_accept_header(call.header(b"accept-encoding"))
    taken = {coding.lower(): quality for coding, quality in accepted}
    worth = {coding: taken.get(coding, taken.get("*", 0)) for coding in PACKED}
    return sorted((coding for coding in PACKED if worth[coding] > 0), key=lambda coding: -worth[coding])
