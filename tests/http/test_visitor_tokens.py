"""How somebody on a shop's pages becomes a visitor."""

from datetime import timedelta

import pytest

from adapters.providers.memory import ManualClock
from tests import builders
from tests.http.stand import Api, Stand
from tests.http.test_webchat import SITE

TOKEN, MESSAGES = "/api/chat/anonymous-token", "/api/chat/messages"


async def test_the_public_key_makes_a_visitor(api: Api, stage):
    answer = await api.post(TOKEN, token=stage.shop.public_key)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"token", "expiresIn", "visitorId", "tenantId"}
    assert (body["tenantId"], body["expiresIn"]) == (stage.shop.id, 3600)
    assert (await api.get(MESSAGES, token=body["token"])).json()["messages"] == []


async def test_the_tenants_id_does_it_too(api: Api, stage):
    answer = await api.post(TOKEN, {"tenantId": stage.shop.id} | SITE)
    assert answer.json()["tenantId"] == stage.shop.id
    both = await api.post(TOKEN, {"tenantId": stage.shop.id}, token=stage.shop.public_key)
    assert both.json()["tenantId"] == stage.shop.id
    assert both.json()["visitorId"] != answer.json()["visitorId"]


@pytest.mark.parametrize("tenant", ["your-tenant-id", "tenant-id", "your_tenant_id", "tenant_id", "", None])
async def test_a_placeholder_is_no_tenant(api: Api, stage, tenant: str | None):
    answer = await api.post(TOKEN, {"tenantId": tenant})
    assert (answer.status_code, answer.json()["code"]) == (400, "MISSING_TENANT_ID")
    assert (await api.post(TOKEN, {"tenantId": tenant}, token=stage.shop.public_key)).status_code == 200


async def test_no_tenant_at_all_is_told_so(api: Api):
    answer = await api.post(TOKEN)
    assert (answer.status_code, answer.json()["code"]) == (400, "MISSING_TENANT_ID")


@pytest.mark.parametrize("tenant", ["nobody", "0198c0de-0000-7000-8000-000000000000"])
async def test_an_unknown_tenant_is_404(api: Api, tenant: str):
    answer = await api.post(TOKEN, {"tenantId": tenant})
    assert (answer.status_code, answer.json()["code"]) == (404, "TENANT_NOT_FOUND")


async def test_an_unknown_key_is_401(api: Api, stage, admin_key: str):
    for key in ("pk_unknown", admin_key, "' OR 1=1 --"):
        answer = await api.post(TOKEN, {"tenantId": stage.shop.id}, token=key)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_API_KEY")


async def test_key_and_tenant_have_to_agree(api: Api, stage, db, clock):
    other = (await builders.a_shop(db, clock)).shop
    answer = await api.post(TOKEN, {"tenantId": other.id}, token=stage.shop.public_key)
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_API_KEY")


async def test_with_the_last_token_one_stays_the_same_visitor(
    api: Api, stage, visitor: str, clock: ManualClock
):
    for wait in (timedelta(0), timedelta(days=20)):
        clock.advance(wait)
        answer = await api.post(TOKEN, {"token": visitor}, token=stage.shop.public_key)
        assert answer.json()["visitorId"] == stage.visitor.visitor_id


async def test_but_not_for_ever_nor_elsewhere_nor_with_a_forged_one(
    api: Api, stand: Stand, stage, visitor: str, owner: str, db, clock: ManualClock
):
    other = (await builders.a_shop(db, clock)).shop
    for token, key in (("forged", stage.shop), (owner, stage.shop), (visitor, other)):
        answer = await api.post(TOKEN, {"token": token}, token=key.public_key)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_JWT_TOKEN")
    clock.advance(timedelta(days=40))
    assert (await api.post(TOKEN, {"token": visitor}, token=stage.shop.public_key)).status_code == 401


@pytest.mark.parametrize("tenant", ["a\u0000b", "../x", "a b", "x" * 129, 7, ["a"]])
async def test_an_odd_tenant_never_reaches_the_database(api: Api, tenant: object):
    answer = await api.post(TOKEN, {"tenantId": tenant})
    assert answer.status_code == 400
