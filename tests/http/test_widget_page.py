"""The widget's files as they are served: who may keep them for how long, and what their page may do."""

import gzip
import re

import pytest

from tests.http.stand import HOME, Api, Serve

LOADER = "/widget.v1.0.0.js"
A_YEAR = "public, max-age=31536000, immutable"
SHOPS_PAGE = {"origin": "https://any-shop.example"}


async def parts(api: Api) -> list[str]:
    page = (await api.get("/embed")).text
    found = re.findall(r'(?:href|src)="(/embed/[^"]+)"', page)
    assert len(found) == 2
    return found


async def test_the_loader_is_immutable_for_a_year_and_loads_anywhere(api: Api):
    answer = await api.get(LOADER, headers=SHOPS_PAGE)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == A_YEAR
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "https://any-shop.example"


async def test_the_page_is_never_kept_and_its_parts_for_ever(api: Api):
    assert (await api.get("/embed")).headers["cache-control"] == "no-store"
    for part in await parts(api):
        answer = await api.get(part)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == A_YEAR


async def test_any_site_may_frame_the_page_and_nothing_else_gets_into_it(api: Api):
    policy = (await api.get("/embed")).headers["content-security-policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["frame-ancestors"] == "*"
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["connect-src"] == f"'self' {HOME} {HOME.replace('http', 'ws')}"
    assert "unsafe" not in policy


async def test_the_page_holds_no_script_and_no_style_of_its_own(api: Api):
    page = (await api.get("/embed", headers={"accept-encoding": "identity"})).text
    assert not re.search(r"<script(?! src)|<style|\son\w+=|\sstyle=|javascript:", page)


async def test_nothing_but_the_built_parts_is_found_below_the_page(api: Api):
    for name in ("embed.html", "embed.0000.js", "widget.v1.0.0.js", "%2e%2e%2fembed.html", "a%2Fb"):
        answer = await api.get(f"/embed/{name}")
        assert answer.status_code == 404, name
        assert answer.json()["message"]


@pytest.mark.parametrize("path", [LOADER, "/embed"])
async def test_files_come_packed_for_those_who_can_unpack(api: Api, path: str):
    packed = await api.get(path, headers={"accept-encoding": "br, gzip"})
    plain = await api.get(path, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert "Accept-Encoding" in packed.headers.get_list("vary")


async def test_the_page_and_its_loader_are_small(api: Api):
    async def size(path: str) -> int:
        return len(gzip.compress((await api.get(path)).content))

    assert await size(LOADER) < 5_000
    assert sum([await size(path) for path in ("/embed", *await parts(api))]) < 60_000


async def test_the_policy_names_the_public_address(serve: Serve):
    api = serve(base_url="https://chat.shop.example")
    policy = (await api.get("/embed")).headers["content-security-policy"]
    assert "connect-src 'self' https://chat.shop.example wss://chat.shop.example;" in policy


async def test_head_tells_the_length_of_the_loader(api: Api):
    answer = await api.call("HEAD", LOADER, headers={"accept-encoding": "identity"})
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 1_000
