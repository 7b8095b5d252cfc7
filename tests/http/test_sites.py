"""Sites through the platform's API."""

import pytest

from tests.http.stand import Api


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/sites"


async def test_a_site_is_added_changed_and_removed(api: Api, owner: str, path: str, clock):
    answer = await api.post(path, {"name": "Main", "hosts": ["Shop.example", "*.shop.example"]}, token=owner)
    assert answer.status_code == 201
    site = answer.json()["data"]
    assert site == {
        "id": site["id"],
        "name": "Main",
        "hosts": ["shop.example", "*.shop.example"],
        "createdAt": round(clock.now().timestamp() * 1000),
    }
    changed = await api.put(f"{path}/{site['id']}", {"name": "Shop"}, token=owner)
    assert changed.json()["data"] == site | {"name": "Shop"}
    assert (await api.get(path, token=owner)).json()["data"] == [site | {"name": "Shop"}]
    assert (await api.delete(f"{path}/{site['id']}", token=owner)).json()["data"] == {"id": site["id"]}
    assert (await api.get(path, token=owner)).json()["data"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "hosts"),
        ({"hosts": ["shop.example"]}, "name"),
        ({"name": " ", "hosts": ["shop.example"]}, "name"),
        ({"name": "x", "hosts": []}, "hosts"),
        ({"name": "x", "hosts": ["*.example"]}, "hosts"),
        ({"name": "x", "hosts": ["https://shop.example/path"]}, "hosts"),
        ({"name": "x", "hosts": [f"{n}.example" for n in range(21)]}, "hosts"),
        ({"name": "x", "hosts": ["shop.example"], "tenantId": "y"}, "tenantId"),
    ],
)
async def test_what_is_no_site_is_refused_by_field(api: Api, owner: str, path: str, body: dict, field: str):
    answer = await api.post(path, body, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)


async def test_a_host_that_is_taken_is_a_conflict(api: Api, owner: str, path: str, stranger: str):
    theirs = (await api.get("/api/shops", token=stranger)).json()["data"][0]["id"]
    body = {"name": "x", "hosts": ["shop.example"]}
    assert (await api.post(path, body, token=owner)).status_code == 201
    answer = await api.post(f"/api/shops/{theirs}/sites", body, token=stranger)
    assert (answer.status_code, answer.json()["code"]) == (409, "host_taken")
    assert (await api.post(path, body, token=owner)).status_code == 409


async def test_a_shop_has_at_most_fifty_sites(api: Api, owner: str, path: str):
    for number in range(50):
        body = {"name": "x", "hosts": [f"{number}.shop.example"]}
        assert (await api.post(path, body, token=owner)).status_code == 201
    answer = await api.post(path, {"name": "x", "hosts": ["more.shop.example"]}, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "sites")
