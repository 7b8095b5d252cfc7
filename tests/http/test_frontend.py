"""A built front end, served beside the API: which request gets what."""

from pathlib import Path

import pytest

from adapters.http.media import is_hashed, kind_of
from ports.limits import Rate
from tests.http.built import INDEX, SCRIPT, build
from tests.http.stand import PAGE, Api, Serve


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return build(tmp_path)


@pytest.fixture
def api(serve: Serve, dist: Path) -> Api:
    return serve(frontend=dist)


async def test_the_page(api: Api):
    answer = await api.get("/")
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-length"] == str(len(INDEX))
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers.get_list("referrer-policy") == ["strict-origin-when-cross-origin"]
    assert answer.headers["cross-origin-opener-policy"] == "same-origin-allow-popups"
    # Only this: what the page may load and call, a tag of its own says.
    assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"


@pytest.mark.parametrize(
    "path", ["/orders/42", "/bot/lumen-coffee", "/orders/", "/auth/callback", "/u/ann@shop.example", "/a//b"]
)
async def test_a_place_within_the_page_is_the_page(api: Api, path: str):
    answer = await api.get(path, headers={"accept": "*/*"})
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["cache-control"] == "no-cache"


async def test_files_are_what_their_names_say(api: Api):
    script = await api.get("/assets/index-DkT5kP3x.js")
    assert (script.status_code, script.text) == (200, SCRIPT)
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    style = await api.get("/assets/index-BqX-_4aZ.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["cache-control"]
    for path in ("/assets/data.json", "/favicon.ico", "/%C3%BCber%20uns.txt"):
        answer = await api.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"


def test_kinds_come_from_a_table_of_our_own():
    assert kind_of("a/b.MJS") == b"text/javascript; charset=utf-8"
    assert kind_of("font.woff2") == b"font/woff2"
    assert kind_of("site.webmanifest") == b"application/manifest+json"
    assert kind_of("LICENSE") == kind_of("x.unheard-of") == b"application/octet-stream"


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("assets/index-DkT5kP3x.js", True),
        ("assets/vendor-react-aB3-_x9Z.js", True),
        ("assets/index-DkT5kP3x.js.map", True),
        ("static/js/main.8f3a2b1c.js", True),
        ("static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg", True),
        ("index-DkT5kP3x.js", False),
        ("assets/logo-original.png", False),
        ("assets/Inter-SemiBold.woff2", False),
        ("assets/photo-20261105.jpg", False),
        ("assets/README-CHANGES_.md", False),
        ("assets/DkT5kP3x.js", False),
        ("assets/data.json", False),
        ("assets/jquery-3.7.1.min.js", False),
    ],
)
def test_only_names_with_a_digest_are_kept_for_ever(name: str, hashed: bool):
    assert is_hashed(name) is hashed


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/assets/missing.css",
        "/assets/index-00000000.js",
        "/assets/a.b",
        "/x/y/z.png",
        "/a.js/",
    ],
)
async def test_a_file_that_is_missing_is_not_the_page(api: Api, path: str):
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
    assert answer.json()["success"] is False


async def test_directories_are_not_listed(api: Api):
    for path in ("/assets", "/assets/"):
        assert (await api.get(path)).text == INDEX


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/api",
            "/api/",
            "/api/nothing",
            "/oauth/facebook/callback",
            "/webhook/stripe",
            "/webchat/x",
            "/ws/x",
        ),
        *("/socket.io/x", "/health/x", "/docs/x", "/embed/x", "/files/x", "/openapi.json/x", "/metrics/x"),
    ],
)
async def test_what_is_ours_stays_ours(api: Api, path: str):
    answer = await api.get(path)
    assert answer.status_code in {400, 401, 404}
    assert answer.headers["content-type"] == "application/json"


async def test_routes_come_first(api: Api, dist: Path):
    (dist / "health").write_text("from the directory")
    assert (await api.get("/health")).json() == {"status": "ok", "version": "1.2.3"}
    assert (await api.get("/ws")).status_code in {404, 426}
    assert (await api.get("/api/auth/me")).status_code == 401
    assert (await api.get("/api/auth/login")).status_code == 405


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_nothing_but_reading(api: Api, method: str):
    for path in ("/", "/orders", "/favicon.ico"):
        answer = await api.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


async def test_without_one_nothing_changes(serve: Serve):
    for path in ("/", "/orders"):
        assert (await serve().get(path)).status_code == 404


async def test_files_have_a_limit_of_their_own(serve: Serve, dist: Path):
    api = serve(frontend=dist, limits={"pages_per_address": Rate(2, 60)})
    assert [(await api.get("/")).status_code for _ in range(3)] == [200, 200, 429]
    refused = await api.get("/orders")
    assert refused.json()["code"] == "rate_limited"
    assert int(refused.headers["retry-after"]) > 0
    assert (await api.get("/api/auth/me")).status_code == 401


# The service worker


@pytest.mark.parametrize("has_frontend", [True, False])
async def test_there_is_a_service_worker(serve: Serve, dist: Path, has_frontend: bool):
    answer = await serve(frontend=dist if has_frontend else None).get("/sw.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["service-worker-allowed"] == "/"
    assert answer.headers["cache-control"] == "no-cache"
    assert "showNotification" in answer.text
    assert "fetch" not in answer.text


async def test_the_front_ends_own_service_worker_comes_first(api: Api, dist: Path):
    (dist / "sw.js").write_text("// its own")
    answer = await api.get("/sw.js")
    assert answer.text == "// its own"
    assert answer.headers["service-worker-allowed"] == "/"
    assert answer.headers["cache-control"] == "no-cache"


# Beside the API


async def test_the_page_and_its_api_on_one_origin(api: Api):
    answer = await api.get("/", headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    refused = await api.call(
        "OPTIONS", "/", headers={"origin": "https://evil.example", "access-control-request-method": "GET"}
    )
    assert refused.status_code == 403
