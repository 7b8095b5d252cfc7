"""What comes over a real socket and should not: refused in good order, on both servers."""

import contextlib
import re
import shutil
import time
import zlib

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.system.processes import ParleyProcess, environment, serving
from tests.system.wire import (
    PATIENCE,
    answer_on,
    ask,
    connected,
    exchange,
    frame,
    handshake,
    memory,
    request,
    rest_of,
    say,
)

SERVERS = ("hypercorn", "uvicorn")
FRAME_LIMIT = 64 * 1024
BODY_LIMIT = 4_096
REGISTRATIONS = 3
BOMB_MEGABYTES = 100
JSON = "Content-Type: application/json"
LOGIN = "/api/auth/login"


def start(request, seeded_file, tmp_path_factory, **settings):
    directory = tmp_path_factory.mktemp("server")
    path, _ = seeded_file
    shutil.copy(path, directory / "parley.db")
    limits = {"PARLEY_LIMITS__REGISTER_PER_ADDRESS": f"{REGISTRATIONS}/3600"}
    env = environment(
        f"sqlite:///{directory / 'parley.db'}", PARLEY_SERVER=request.param, **limits, **settings
    )
    return ParleyProcess(env, directory / "log")


@pytest.fixture(scope="module", params=SERVERS)
def server(request, seeded_file, tmp_path_factory):
    limits = {"PARLEY_BODY_LIMIT": str(BODY_LIMIT), "PARLEY_BODY_TIMEOUT": "1"}
    process = start(request, seeded_file, tmp_path_factory, **limits)
    with serving(process):
        yield process


@pytest.fixture(scope="module", params=SERVERS)
def server_behind_a_proxy(request, seeded_file, tmp_path_factory):
    process = start(request, seeded_file, tmp_path_factory, PARLEY_TRUSTED_PROXIES="127.0.0.1")
    with serving(process):
        yield process


def assert_refused(answer, status):
    """In JSON, with the platform's fields and RFC 9457's, and nothing of the server's own."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/json"
    body = answer.json
    assert (body["success"], body["status"]) == (False, status)
    assert all(body[name] for name in ("error", "code", "type", "title", "detail", "requestId"))
    assert "server" not in answer.headers


def test_no_answer_says_which_server_it_is(server):
    for path in ("/health", "/nothing/here", "/docs"):
        answer = exchange(server.port, request("GET", path))
        assert not {"server", "x-powered-by", "via"} & answer.headers.keys()
        assert not re.search(rb"hypercorn|uvicorn|quart|werkzeug", answer.body, re.IGNORECASE)
    assert "server" not in exchange(server.port, handshake("/ws")).headers


def test_compression_is_not_negotiated(server):
    answer = exchange(server.port, handshake("/ws", "Sec-WebSocket-Extensions: permessage-deflate"))
    assert answer.status == 101
    assert "sec-websocket-extensions" not in answer.headers


@pytest.mark.slow
def test_a_deflate_bomb_is_not_inflated(server):
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = bytes(1024 * 1024)
    bomb = b"".join(packer.compress(megabyte) for _ in range(BOMB_MEGABYTES)) + packer.flush()
    before = memory(server.pid, "VmRSS")
    for payload in (bomb[: FRAME_LIMIT - 100], bomb):
        with connected(server.port) as connection:
            offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
            assert ask(connection, handshake("/ws", offer)).status == 101
            say(connection, frame(1, payload, rsv1=True))
            rest_of(connection)
    assert memory(server.pid, "VmHWM") <= 1.5 * before


def test_http_2_is_not_spoken_without_tls(server):
    settings = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    answer = exchange(server.port, request("GET", "/health", *settings))
    assert (answer.version, answer.status) == (11, 200)
    with connected(server.port) as connection:
        say(connection, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        heard = rest_of(connection)
    assert re.match(rb"HTTP/1\.1 4\d\d ", heard)
    assert not re.search(rb"HTTP/(?!1\.1 4)|\x00", heard)


@pytest.mark.slow
@pytest.mark.parametrize("server", ["hypercorn"], indirect=True)
def test_who_is_slow_to_ask_is_hung_up_on(server):
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(server.port)) for _ in range(3)]
        slow[1].sendall(b"GET /health HTTP/1.1\r\nHost: loc")
        ask(slow[2], request("GET", "/health"))
        slow[2].sendall(b"GET /he")
        assert [rest_of(connection) for connection in slow] == [b"", b"", b""]
    assert time.monotonic() - began < 7


@pytest.mark.slow
def test_a_body_that_drips_is_not_waited_for(server):
    began = time.monotonic()
    with connected(server.port) as connection:
        say(connection, request("POST", LOGIN, JSON, "Content-Length: 60", body=b'{"em'))
        assert_refused(answer_on(connection), 408)
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "declared",
    [
        (f"Content-Length: {BODY_LIMIT + 1}",),
        (f"Content-Length: {10**18}",),
        ("Transfer-Encoding: chunked",),
    ],
)
def test_a_body_that_is_too_large_is_refused(server, declared):
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    body = chunk * 5 + b"0\r\n\r\n" if "chunked" in declared[0] else b"x" * (BODY_LIMIT + 1)
    assert_refused(exchange(server.port, request("POST", LOGIN, JSON, *declared, body=body)), 413)


def test_a_head_that_is_too_large_is_refused(server):
    big = "a" * 200_000
    for head in (request("GET", "/health", f"X-Big: {big}"), request("GET", f"/{big}")):
        assert_refused(exchange(server.port, head), 431)


def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(server):
    before = memory(server.pid, "VmRSS")
    with connected(server.port) as connection:
        say(connection, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Big: ")
        for _ in range(64):
            say(connection, b"a" * 1024 * 1024)
        rest_of(connection)
    assert memory(server.pid, "VmHWM") <= 1.5 * before


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
        ("Content-Length: -2",),
        ("Content-Length: 2, 3",),
        ("Content-Length: 0x2",),
        ("Host: elsewhere", "Content-Length: 2"),
    ],
)
def test_a_request_that_two_servers_could_read_in_two_ways_is_refused(server, headers):
    assert_refused(exchange(server.port, request("POST", LOGIN, JSON, *headers, body=b"{}")), 400)


def test_the_connection_ends_with_an_ambiguous_body(server):
    """RFC 9112, 6.1: what follows might be a request, or a part of the body that somebody smuggled."""
    lengths = ("Content-Length: 5", "Transfer-Encoding: chunked")
    answer = exchange(server.port, request("POST", LOGIN, JSON, *lengths, body=b"0\r\n\r\n"))
    assert answer.headers.get("connection", "keep-alive").lower() == "close"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nbad name: x\r\n\r\n",
    ],
    ids=["no host", "bytes in the path", "tls", "a space in a name"],
)
def test_what_is_no_http_is_told_so_in_json(server, head):
    assert_refused(exchange(server.port, head), 400)


def test_a_handshake_that_is_none_is_refused_and_hung_up_on(server):
    with connected(server.port) as connection:
        bad = handshake("/ws").replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12")
        assert ask(connection, bad).status == 400
        assert rest_of(connection) == b""


def test_methods_and_codings_that_nobody_offered_are_refused(server):
    trace = exchange(server.port, request("TRACE", "/health"))
    assert_refused(trace, 405)
    assert trace.headers["allow"] == "GET, HEAD"
    packed = ("Content-Encoding: gzip", "Content-Length: 2")
    assert_refused(exchange(server.port, request("POST", LOGIN, JSON, *packed, body=b"{}")), 415)


def test_frames_have_a_limit(server):
    with connect(f"{server.socket_url}/ws", compression=None, max_size=None) as client:
        client.send("x" * FRAME_LIMIT)
        assert '"invalid_frame"' in client.recv(PATIENCE)
        client.send("x" * (FRAME_LIMIT + 1))
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(PATIENCE)
    assert closed.value.rcvd.code == 1009


def register(server, *headers):
    return exchange(server.port, request("POST", "/api/auth/register", *headers, JSON, "Content-Length: 0"))


def test_a_forged_address_does_not_get_round_a_limit(server):
    """The first are refused for what they lack, then for how many they are."""
    answers = [register(server, f"X-Forwarded-For: 203.0.113.{n}") for n in range(REGISTRATIONS + 1)]
    assert [answer.status for answer in answers] == [400] * REGISTRATIONS + [429]
    assert_refused(answers[-1], 429)
    assert int(answers[-1].headers["retry-after"]) > 0


def test_a_trusted_proxy_tells_whom_to_count(server_behind_a_proxy):
    """It adds the address it saw at the right end; what a client wrote before that is worth nothing."""
    for n in range(REGISTRATIONS):
        assert register(server_behind_a_proxy, f"X-Forwarded-For: 198.51.100.{n}, 203.0.113.1").status == 400
    assert register(server_behind_a_proxy, "X-Forwarded-For: 198.51.100.9, 203.0.113.1").status == 429
    assert register(server_behind_a_proxy, "X-Forwarded-For: 203.0.113.1, 203.0.113.2").status == 400
