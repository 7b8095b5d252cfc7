"""What never becomes a request of ours is refused by the server itself: in JSON, as everything else is."""

import os
from http import HTTPStatus
from typing import Any

from adapters.http.dialects import PLATFORM
from adapters.http.errors import Header, Problem

HEAD_LIMIT = 64 * 1024
"""Bytes of a request line and its headers. Hypercorn has a limit of its own, Uvicorn none."""

_SAYS = {
    HTTPStatus.BAD_REQUEST: "This is no request that can be understood",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The head of the request is too large",
    HTTPStatus.NOT_IMPLEMENTED: "This way of transfer is not supported",
}


def refusal(status: int) -> tuple[list[Header], bytes]:
    """Headers and body. The connection ends with it: where its next request begins is anybody's guess."""
    known = HTTPStatus(status)
    detail = _SAYS.get(known, f"{known.phrase}: the request can't be served")
    body = PLATFORM.body(Problem(status, "refused_by_server", detail, {}), os.urandom(12).hex())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    return headers, body


def uvicorn_protocol() -> Any:
    """Uvicorn's HTTP/1.1 that limits the head, wants its Host, and refuses in JSON."""
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

    class Protocol(HttpToolsProtocol):
        status = HTTPStatus.BAD_REQUEST
        is_in_head = False
        head_size = 0

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.is_in_head = True

        def on_headers_complete(self) -> None:
            """What is raised here comes back to data_received as an error of the parser."""
            self.is_in_head = False
            if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_LIMIT:
                self.status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                raise ValueError("the head is too large")
            hosts = [name for name, _ in self.headers].count(b"host")
            if hosts != 1 and self.parser.get_http_version() == "1.1":
                raise ValueError("one host it has to be")
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.head_size = self.head_size + len(data) if self.is_in_head else 0
            if self.head_size > HEAD_LIMIT and not self.transport.is_closing():
                self.status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self.send_400_response("")

        def send_400_response(self, msg: str) -> None:
            headers, body = refusal(self.status)
            lines = [b"%s: %s\r\n" % header for header in (*self.server_state.default_headers, *headers)]
            self.transport.write(b"".join([STATUS_LINE[self.status], *lines, b"\r\n", body]))
            self.transport.close()

    return Protocol
