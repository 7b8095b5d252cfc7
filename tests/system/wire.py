"""Bytes to a server and bytes back, for what no client library would send."""

import base64
import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    version: int
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        yield connection


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def exchange(port: int, *parts: bytes) -> Answer:
    with connected(port) as connection:
        return ask(connection, *parts)


def ask(connection: socket.socket, *parts: bytes) -> Answer:
    for part in parts:
        say(connection, part)
    return answer_on(connection)


def say(connection: socket.socket, data: bytes) -> None:
    """A server that has heard enough may close before it has heard all."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


def answer_on(connection: socket.socket) -> Answer:
    with contextlib.closing(HTTPResponse(connection)) as response:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.version, response.status, headers, response.read())


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the server closes. Raises TimeoutError when it doesn't."""
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            heard += chunk
    return heard


def handshake(path: str, *headers: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    return request("GET", path, *upgrade, f"Sec-WebSocket-Key: {key}", *headers)


def frame(opcode: int, payload: bytes, *, rsv1: bool = False) -> bytes:
    """As a client sends it; a mask of zeros changes nothing."""
    first = 0x80 | (0x40 if rsv1 else 0) | opcode
    return struct.pack("!BBQ", first, 0x80 | 127, len(payload)) + bytes(4) + payload


def memory(pid: int, field: str) -> int:
    """Bytes that a process holds now (VmRSS) or held at its peak (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1]) * 1024
