"""A front end's files over real connections, on both servers: whole, and none that is not meant for it."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.system.people import eventually
from tests.system.processes import ParleyProcess, environment, serving
from tests.system.wire import connected, exchange, memory, request, rest_of, say

SECRET = b"the-family-silver"
FILM = os.urandom(20 * 1024 * 1024)
GROWTH_LIMIT = 8 * 1024 * 1024


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"])
def server(request, seeded_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("front end")
    shutil.copy(seeded_file[0], folder / "parley.db")
    (folder / "secret.txt").write_bytes(SECRET)
    dist = folder / "dist"
    dist.mkdir()
    (dist / "index.html").write_bytes(b"<!doctype html>the page")
    (dist / ".env").write_bytes(SECRET)
    (dist / "film.mp4").write_bytes(FILM)
    env = environment(
        f"sqlite:///{folder / 'parley.db'}", PARLEY_SERVER=request.param, PARLEY_FRONTEND=str(dist)
    )
    process = ParleyProcess(env, folder / "log")
    with serving(process):
        yield process


@pytest.mark.parametrize(
    "target",
    [
        *("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%252e%252e%252fsecret.txt"),
        *("/..%5csecret.txt", "/..\\secret.txt", "//../secret.txt", "/film.mp4/../../secret.txt"),
        *("http://localhost/../secret.txt", "/.env", "/%2eenv", "/dist/../.env", "/index.html%00.txt"),
    ],
)
def test_nothing_else_is_served(server, target):
    answer = exchange(server.port, request("GET", target))
    assert answer.status in {400, 404}
    assert answer.headers["content-type"] == "application/json"
    assert SECRET not in answer.body


@pytest.mark.parametrize("target", ["/", "/orders/42", "http://localhost/orders/42", "//orders"])
def test_every_place_is_the_page(server, target):
    answer = exchange(server.port, request("GET", target))
    assert (answer.status, answer.body) == (200, b"<!doctype html>the page")


def test_a_large_file_passes_through_little_memory(server):
    exchange(server.port, request("GET", "/film.mp4", "Range: bytes=0-9"))
    before = memory(server.pid, "VmHWM")
    answer = exchange(server.port, request("GET", "/film.mp4"))
    assert answer.status == 200
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(FILM).digest()
    assert memory(server.pid, "VmHWM") - before < GROWTH_LIMIT


def test_without_a_body_its_length_is_told(server):
    with connected(server.port) as connection:
        say(connection, request("HEAD", "/film.mp4", "Connection: close"))
        head = rest_of(connection)
    assert f"content-length: {len(FILM)}".encode() in head.lower()
    assert head.endswith(b"\r\n\r\n")


HANGING_UP = {"in the middle": (), "unchanged": ("If-None-Match: *",), "beyond": ("Range: bytes=99999999-",)}


@pytest.mark.parametrize("headers", HANGING_UP.values(), ids=HANGING_UP)
async def test_no_file_stays_open(server, headers):
    for method in ("GET", "HEAD"):
        with connected(server.port) as connection:
            say(connection, request(method, "/film.mp4", *headers))
            assert connection.recv(12).startswith(b"HTTP/1.1 ")

    async def is_closed():
        return "film.mp4" not in open_files(server.pid)

    await eventually(is_closed)


def open_files(pid):
    """Their names. Some may be closed while one looks."""
    names = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.add(entry.readlink().name)
    return names
