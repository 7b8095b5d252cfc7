"""The chat that shops put on their pages: its loader, and the page in its frame. Built from web/widget."""

import gzip
from functools import cache

from quart import Blueprint

from adapters.http.access import PUBLIC
from adapters.http.call import Call
from adapters.http.codec import endpoint
from adapters.http.documents import PAGES
from adapters.http.errors import Header, RouteNotFound
from adapters.http.options import HttpOptions
from adapters.http.reply import NO_STORE, Reply

BUILT = PAGES / "widget"
LOADER = "widget.v1.0.0.js"
PAGE = "embed.html"

FOR_EVER = b"public, max-age=31536000, immutable"
SCRIPT = b"text/javascript; charset=utf-8"
HTML = b"text/html; charset=utf-8"
MEDIA = {".js": SCRIPT, ".css": b"text/css; charset=utf-8"}
FROM_ANYWHERE: Header = (b"cross-origin-resource-policy", b"cross-origin")
"""Some pages load only what says that it may be loaded."""
AS_ISOLATED: Header = (b"cross-origin-embedder-policy", b"require-corp")
"""And frame only pages that are as strict as they are themselves."""


class Asset:
    """A built file, plain and packed: not every server has a proxy in front that packs."""

    def __init__(
        self,
        name: str,
        media: bytes,
        *headers: Header,
        caching: bytes = FOR_EVER,
        policy: bytes | None = None,
    ) -> None:
        self._plain, self._packed = _read(name)
        self._media, self._caching, self._policy = media, caching, policy
        self._headers = (*headers, (b"vary", b"Accept-Encoding"))

    def reply(self, call: Call) -> Reply:
        is_packed = b"gzip" in call.headers.get(b"accept-encoding", b"")
        headers = (*self._headers, (b"content-encoding", b"gzip")) if is_packed else self._headers
        body = self._packed if is_packed else self._plain
        return Reply(200, body, headers, media=self._media, policy=self._policy, caching=self._caching)


@cache
def _read(name: str) -> tuple[bytes, bytes]:
    """As it is, and packed."""
    content = (BUILT / name).read_bytes()
    return content, gzip.compress(content, mtime=0)


def blueprint(options: HttpOptions) -> Blueprint:
    routes = Blueprint("widget", __name__)
    loader = Asset(LOADER, SCRIPT, FROM_ANYWHERE)
    policy = page_policy(options.base_url)
    page = Asset(PAGE, HTML, FROM_ANYWHERE, AS_ISOLATED, caching=NO_STORE, policy=policy)
    parts = {path.name: Asset(path.name, MEDIA[path.suffix]) for path in BUILT.glob("embed.*.*")}

    @routes.get(f"/{LOADER}")
    @endpoint(access=PUBLIC, returns=None)
    async def load(call: Call) -> Reply:
        """Give a shop's page the chat's loader."""
        return loader.reply(call)

    @routes.get("/embed")
    @endpoint(access=PUBLIC, returns=None)
    async def embed(call: Call) -> Reply:
        """Show the chat, in a frame or as a page of its own."""
        return page.reply(call)

    @routes.get("/embed/<id:part>")
    @endpoint(access=PUBLIC, returns=None, raises=(RouteNotFound,))
    async def part_of_page(call: Call, part: str) -> Reply:
        """Give the chat's page its script and its looks; their names change when they do."""
        if part not in parts:
            raise RouteNotFound
        return parts[part].reply(call)

    return routes


def page_policy(base_url: str) -> bytes:
    """Nothing from elsewhere but the frames around it: which pages may chat, the shops' sites decide.

    `base_url` stands beside 'self' for those who reach this server by another of its names, and its socket
    because not every browser counts that as 'self'.
    """
    socket = "ws" + base_url.removeprefix("http")
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"connect-src 'self' {base_url} {socket}; img-src 'self' {base_url} data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors *"
    ).encode()
