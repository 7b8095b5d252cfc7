"""The API's description of itself, and a page to read it on that loads nothing from anywhere else."""

from pathlib import Path
from typing import Any

from quart import Blueprint, Quart

from adapters.http.access import PUBLIC
from adapters.http.codec import endpoint
from adapters.http.cookies import Cookies
from adapters.http.options import HttpOptions
from adapters.http.reply import Reply

PAGES = Path(__file__).parent / "pages"
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def blueprint(app: Quart, options: HttpOptions, cookies: Cookies) -> Blueprint:
    routes = Blueprint("documents", __name__)
    written: list[bytes] = []

    @routes.get("/openapi.json")
    @endpoint(access=PUBLIC, returns=dict[str, Any])
    async def openapi() -> Reply:
        """Describe this API as OpenAPI 3.1."""
        if not written:
            from adapters.http.openapi import document  # noqa: PLC0415 - half a second that few ever need

            written.append(document(app, options, cookies))
        return Reply(200, written[0])

    @routes.get("/docs")
    @endpoint(access=PUBLIC, returns=None)
    async def docs() -> Reply:
        """Show the OpenAPI document as a page."""
        return _page("docs.html", b"text/html; charset=utf-8")

    @routes.get("/docs/docs.js")
    @endpoint(access=PUBLIC, returns=None)
    async def script() -> Reply:
        """Give the page its script."""
        return _page("docs.js", b"text/javascript; charset=utf-8")

    @routes.get("/docs/docs.css")
    @endpoint(access=PUBLIC, returns=None)
    async def style() -> Reply:
        """Give the page its looks."""
        return _page("docs.css", b"text/css; charset=utf-8")

    return routes


def _page(name: str, media: bytes) -> Reply:
    return Reply(200, (PAGES / name).read_bytes(), media=media, policy=POLICY)
