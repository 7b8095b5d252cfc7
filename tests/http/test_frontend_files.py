"""Files of a front end: as much of them as a browser needs, and none that is not meant for it."""

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest

from adapters.http.directory import Directory
from adapters.http.errors import Broken
from tests.http.built import SCRIPT, SECRET, build
from tests.http.stand import Api, Serve, Wire


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return build(tmp_path)


@pytest.fixture
def api(serve: Serve, dist: Path) -> Api:
    return serve(frontend=dist)


async def test_head_tells_the_same_without_the_body(api: Api):
    for path in ("/", "/assets/index-DkT5kP3x.js", "/orders", "/sw.js"):
        head, get = await api.call("HEAD", path), await api.get(path)
        assert (head.status_code, head.content) == (200, b"")
        told = [{**answer.headers, "x-request-id": "", "x-ratelimit-remaining": ""} for answer in (head, get)]
        assert told[0] == told[1]


async def test_what_the_browser_has_is_not_sent_again(api: Api, dist: Path):
    for path in ("/", "/orders/7", "/assets/index-DkT5kP3x.js"):
        first = await api.get(path)
        modified = first.headers["last-modified"]
        for condition in (
            {"if-none-match": first.headers["etag"]},
            {"if-none-match": f'"other", W/{first.headers["etag"]}'},
            {"if-modified-since": modified},
        ):
            again = await api.get(path, headers=condition)
            assert (again.status_code, again.content) == (304, b""), condition
            assert again.headers["etag"] == first.headers["etag"]
            assert again.headers["cache-control"] == first.headers["cache-control"]
        for condition in (
            {"if-none-match": '"other"'},
            {"if-none-match": '"other"', "if-modified-since": modified},
            {"if-modified-since": "Thu, 01 Jan 2015 00:00:00 GMT"},
            {"if-modified-since": "yesterday"},
        ):
            assert (await api.get(path, headers=condition)).status_code == 200, condition


async def test_a_new_build_is_seen_at_once(api: Api, dist: Path):
    before = await api.get("/")
    (dist / "index.html").write_text("new")
    later = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    os.utime(dist / "index.html", (later, later))
    after = await api.get("/", headers={"if-none-match": before.headers["etag"]})
    assert (after.status_code, after.text) == (200, "new")
    assert after.headers["last-modified"] == "Tue, 01 Jan 2030 00:00:00 GMT"


async def test_parts_of_a_file(api: Api):
    path = "/assets/index-DkT5kP3x.js"
    for range_, expected in (
        ("bytes=0-9", SCRIPT[:10]),
        ("bytes=1040-", SCRIPT[1040:]),
        ("bytes=-7", SCRIPT[-7:]),
    ):
        answer = await api.get(path, headers={"range": range_})
        assert (answer.status_code, answer.text) == (206, expected)
        assert answer.headers["content-range"].endswith(f"/{len(SCRIPT)}")
    beyond = await api.get(path, headers={"range": "bytes=99999-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(SCRIPT)}")


async def test_a_big_file_goes_out_in_pieces(api: Api, dist: Path):
    content = os.urandom(3_000_000)
    (dist / "film.mp4").write_bytes(content)
    wire = Wire(api.app, "/film.mp4", token="", method="GET")
    await wire.run()
    pieces = [message["body"] for message in wire.sent[1:]]
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 256 * 1024
    assert wire.sent[-1]["more_body"] is False


async def test_a_file_that_is_cut_meanwhile_breaks_off(dist: Path):
    film = dist / "film.mp4"
    film.write_bytes(bytes(3_000_000))
    found = await Directory(dist).open("film.mp4")
    content = found.read(0, found.size)
    await anext(content)
    os.truncate(film, 300_000)
    with pytest.raises(Broken):
        async for _ in content:
            pass
    assert found.file.closed


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0.1, gzip", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("zstd, identity", None),
        ("", None),
    ],
)
async def test_packed_siblings_are_sent_to_who_can_unpack_them(
    api: Api, dist: Path, accepts: str, coding: str | None
):
    packed = {"br": b"pretend this is brotli", "gzip": gzip.compress(SCRIPT.encode())}
    for name, ending in (("br", ".br"), ("gzip", ".gz")):
        (dist / f"assets/index-DkT5kP3x.js{ending}").write_bytes(packed[name])
    wire = Wire(api.app, "/assets/index-DkT5kP3x.js", token="", method="GET")
    wire._scope["headers"] = [(b"accept-encoding", accepts.encode())]
    assert await wire.run() == 200
    headers = dict(wire.sent[0]["headers"])
    assert headers.get(b"content-encoding") == (coding.encode() if coding else None)
    assert headers[b"content-type"] == b"text/javascript; charset=utf-8"
    assert b"".join(m["body"] for m in wire.sent[1:]) == packed.get(coding or "", SCRIPT.encode())
    assert b"Accept-Encoding" in [value for name, value in wire.sent[0]["headers"] if name == b"vary"]


async def test_every_coding_has_a_tag_of_its_own_and_parts_are_plain(api: Api, dist: Path):
    path = "/assets/index-DkT5kP3x.js"
    (dist / f"{path[1:]}.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    gzipped = await api.get(path, headers={"accept-encoding": "gzip"})
    plain = await api.get(path, headers={"accept-encoding": "identity"})
    assert gzipped.text == plain.text == SCRIPT
    assert gzipped.headers["etag"] != plain.headers["etag"]
    part = await api.get(path, headers={"accept-encoding": "gzip", "range": "bytes=0-3"})
    assert (part.status_code, part.text) == (206, SCRIPT[:4])
    assert "content-encoding" not in part.headers


# What is not


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"),
        *("/%252e%252e/secret.txt", "/..%252fsecret.txt", "/%252e%252e%252fsecret.txt", "/..\\secret.txt"),
        *("/..%5csecret.txt", "/%5c..%5csecret.txt", "/../distant/secret.txt", "//../secret.txt"),
        *("/.env", "/assets/.git/config", "/%2eenv", "/assets/%2e%2e/.env", "/./.env", "/.well-known/x"),
        *("/index.html%00", "/%00", "/a%0ab", "/secret.txt", "/assets/%2e%2e%2f%2e%2e%2fsecret.txt"),
        "/" + "a" * 5_000 + ".js",
        "/" + "a/" * 3_000 + "x.js",
    ],
)
async def test_nothing_outside_and_nothing_hidden(api: Api, path: str):
    wire = Wire(api.app, unquote(path), token="", method="GET")
    assert await wire.run() == 404
    assert SECRET not in str(wire.sent)


async def test_links_do_not_lead_outside(api: Api, dist: Path, tmp_path: Path):
    (dist / "link.txt").symlink_to(tmp_path / "secret.txt")
    (dist / "linked").symlink_to(tmp_path / "distant")
    (dist / "hidden.txt").symlink_to(dist / ".env")
    (dist / "loop.txt").symlink_to(dist / "loop.txt")
    (dist / "packed.txt").write_text("plain")
    (dist / "packed.txt.gz").symlink_to(tmp_path / "secret.txt")
    for path in ("/link.txt", "/linked/secret.txt", "/hidden.txt", "/loop.txt"):
        answer = await api.get(path)
        assert answer.status_code == 404, path
        assert SECRET not in answer.text
    assert (await api.get("/packed.txt", headers={"accept-encoding": "gzip"})).text == "plain"


async def test_links_within_are_followed_and_the_directory_may_be_one(
    serve: Serve, dist: Path, tmp_path: Path
):
    (dist / "same.ico").symlink_to("favicon.ico")
    (tmp_path / "current").symlink_to(dist)
    api = serve(frontend=tmp_path / "current")
    assert (await api.get("/same.ico")).text == "icon"
    (tmp_path / "next").mkdir()
    (tmp_path / "next" / "index.html").write_text("the next release")
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("next")
    assert (await api.get("/")).text == "the next release"


async def test_what_is_no_file_is_not_waited_for(api: Api, dist: Path):
    os.mkfifo(dist / "pipe.txt")
    assert (await api.get("/pipe.txt")).status_code == 404


async def test_a_directory_that_is_gone_is_not_found(serve: Serve, tmp_path: Path):
    assert (await serve(frontend=tmp_path / "gone").get("/")).status_code == 404
