"""A shop's web pages, on a site of their own: another host than the chat's, as in life."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What is put into `pages` is served under that path."""

    port: int
    pages: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def put(self, path: str, page: str, headers: Mapping[str, str] | None = None) -> str:
        """The page's address."""
        self.pages[path] = (page, headers or {})
        return self.origin + path


@contextmanager
def a_site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page, headers = site.pages.get(self.path.partition("?")[0], ("", {}))
            body = page.encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Length", str(len(body)))
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site = Site(server.server_port)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield site
        finally:
            server.shutdown()
            serving.join()


STYLE = """<style>
div { position: static; display: inline; transform: rotate(9deg); color: red }
button, iframe { width: 3px }
</style>"""


def shop_page(
    base_url: str, *, config: str = "{}", scripts: int = 1, language: str = "en", style: str = STYLE
) -> str:
    """A page of a shop with the loader on it. Its own styles are of the kind that get into everything."""
    loaders = f'<script src="{base_url}/widget.v1.0.0.js"></script>\n' * scripts
    return f"""<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lumen Coffee</title>
{style}
<main>
<h1>Lumen Coffee</h1>
<p><a href="/other">Other page</a></p>
</main>
<script>window.ChatWidgetConfig = {config};</script>
{loaders}</html>
"""
