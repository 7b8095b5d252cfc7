"""Keys for the shop's pages and servers, and the origins of its pages."""

import pytest

from core.shops.policy import Role
from ports.db import SYSTEM
from tests import builders
from tests.http.stand import Api, Stand


async def test_the_public_key_is_there_to_be_read(api: Api, owner: str, stage):
    answer = await api.get(f"/api/shops/{stage.shop.id}/keys", token=owner)
    assert answer.json()["data"] == {"publicKey": stage.shop.public_key, "origins": []}


async def test_a_new_admin_key_replaces_the_old_one_at_once(api: Api, owner: str, stage, admin_key: str):
    answer = await api.post(f"/api/shops/{stage.shop.id}/keys/admin", token=owner)
    assert answer.status_code == 201
    key = answer.json()["data"]["adminKey"]
    assert key.startswith("sk_")
    assert (await api.get("/api/shops", token=key)).status_code == 200
    assert (await api.get("/api/shops", token=admin_key)).status_code == 403


async def test_no_document_shows_a_secret(api: Api, owner: str, stage, admin_key: str, db):
    shop = await api.get(f"/api/shops/{stage.shop.id}", token=owner)
    stored = await db.read(lambda tx: tx.shops.by_id(stage.shop.id), shop=SYSTEM)
    for secret in (admin_key, stored.admin_key_digest, stored.public_key):
        assert secret not in shop.text


async def test_origins_are_kept_as_browsers_send_them(api: Api, owner: str, stage):
    path = f"/api/shops/{stage.shop.id}/origins"
    origins = ["https://Shop.example/", "https://shop.example:443", "http://localhost:3000"]
    answer = await api.put(path, {"origins": origins}, token=owner)
    assert answer.json()["data"] == {"origins": ["https://shop.example", "http://localhost:3000"]}


@pytest.mark.parametrize(
    "origin", ["*", "null", "shop.example", "https://a b", "https://x.example/path", "ftp://x", ""]
)
async def test_what_is_no_origin_is_refused(api: Api, owner: str, stage, origin: str):
    answer = await api.put(f"/api/shops/{stage.shop.id}/origins", {"origins": [origin]}, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "origins")


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ADMIN, 200), (Role.ORDER_MANAGER, 403), (Role.SUPPORT_AGENT, 403)]
)
async def test_keys_are_for_owners_and_admins(
    api: Api, stand: Stand, stage, db, clock, role: Role, status: int
):
    token = stand.access(await builders.a_member(db, clock, stage.shop, role))
    answer = await api.get(f"/api/shops/{stage.shop.id}/keys", token=token)
    assert answer.status_code == status
    if status == 403:
        assert "manage_integrations" in answer.json()["error"]
