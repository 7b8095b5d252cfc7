"""Probes, figures, and the API's description of itself."""

import re

import pytest

from adapters.http.observer import BUCKETS
from tests.http.stand import Api, Serve, Stand


async def test_a_living_process_says_so(api: Api):
    answer = await api.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "1.2.3"}


@pytest.mark.parametrize(
    ("changed", "status", "word"),
    [
        ({}, 200, "ok"),
        ({"bus": "degraded: other processes hear of events late"}, 200, "degraded"),
        ({"database": "down: no answer", "migrations": "unknown"}, 503, "down"),
        ({"migrations": "down: run parley migrate"}, 503, "down"),
        ({"database": "down: no answer", "bus": "degraded: late"}, 503, "down"),
    ],
)
async def test_readiness_is_that_of_the_worst_component(
    api: Api, stand: Stand, changed, status: int, word: str
):
    stand.health.components |= changed
    answer = await api.get("/ready")
    assert answer.status_code == status
    assert answer.json() == {"status": word, "components": stand.health.components}


async def test_liveness_does_not_depend_on_it(api: Api, stand: Stand):
    stand.health.components["database"] = "down: no answer"
    assert (await api.get("/health")).status_code == 200


async def test_figures_count_by_route_and_not_by_path(api: Api, owner: str, stage):
    path = f"/api/shops/{stage.shop.id}"
    for _ in range(3):
        await api.get(path, token=owner)
    await api.get("/api/no-such-thing")
    await api.call("BREW", "/health")
    answer = await api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    assert "parley_other" in text
    labels = 'method="GET",route="/api/shops/<id:shop_id>"'
    assert f'parley_http_requests_total{{{labels},status="200"}} 3.0' in text
    assert 'parley_http_requests_total{method="GET",route="(none)",status="404"} 1.0' in text
    assert 'parley_http_requests_total{method="OTHER",route="(none)",status="405"} 1.0' in text
    assert f"parley_http_request_seconds_count{{{labels}}} 3.0" in text
    assert stage.shop.id not in text
    buckets = re.findall(rf"parley_http_request_seconds_bucket{{le=\"(.*?)\",{labels}}} (.*)", text)
    assert len(buckets) == len(BUCKETS) + 1
    counts = [float(count) for _, count in buckets]
    assert counts == sorted(counts)
    assert buckets[-1] == ("+Inf", "3.0")


async def test_the_docs_load_nothing_from_elsewhere(api: Api):
    page = await api.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cross-origin-opener-policy"] == "same-origin-allow-popups"
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    for address in addresses:
        assert address.startswith("/")
        assert (await api.get(address)).status_code == 200
    assert not re.search(r"<script>|\son\w+=|style=", page.text)


async def test_the_docs_script_sets_text_and_never_markup(api: Api):
    script = (await api.get("/docs/docs.js")).text
    assert "innerHTML" not in script
    assert "eval" not in script


async def test_the_document_is_openapi(api: Api, serve: Serve):
    document = (await api.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1.2.3"
    assert document["servers"] == [{"url": "http://localhost:8080"}]
    assert set(document["components"]["securitySchemes"]) == {
        *("accessToken", "adminKey", "visitorToken", "shopKey", "cookie")
    }
    assert document["components"]["securitySchemes"]["cookie"]["in"] == "cookie"
