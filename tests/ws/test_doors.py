"""Who may open a socket, from which page, and what the others are told."""

import json

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from core.identity.use_cases import Logins
from core.kernel import UserActor
from ports.db import SYSTEM
from ports.limits import Rate
from tests import builders
from tests.ws.stand import HOME, PAGE, Client

EVIL = "https://evil.example"


async def refused(stand, path, *, headers=None, origin=None):
    with pytest.raises(InvalidStatus) as caught:
        async with stand.connect(path, headers=headers, origin=origin):
            pass
    response = caught.value.response
    assert response.headers["content-type"] == "application/json"
    body = json.loads(response.body)
    assert body["status"] == response.status_code
    assert body["success"] is False
    assert body["error"] == body["message"] == body["detail"]
    return response.status_code, body["code"]


@pytest.fixture
async def cookie(stand, stage, db):
    """The session cookie of the shop's owner."""
    logins: Logins = stand.container.logins()
    owner = stage.owner.user_id
    return (await db.transact(lambda tx: logins.start(tx, owner), shop=SYSTEM)).cookie


async def may_join(connection, shop_id):
    client = Client(connection)
    await client.event("shop:join", shopId=shop_id)
    return (await client.next())["event"] == "shop:joined"


async def test_nothing_else_is_a_socket(stand):
    assert await refused(stand, "/elsewhere") == (404, "route_not_found")
    assert await refused(stand, "/ws/") == (404, "route_not_found")


@pytest.mark.parametrize("path", ["/ws?token=", "/ws/chat?token="])
async def test_a_bad_token_is_refused(stand, stage, path):
    other_side = stand.visit(stage.visitor) if path.startswith("/ws?") else stand.access(stage.owner)
    for token in ("nonsense", other_side):
        assert await refused(stand, path + token) == (401, "bad_token")


async def test_a_token_may_come_in_the_address_or_in_a_header(stand, stage):
    token = stand.access(stage.owner)
    async with stand.connect(f"/ws?token={token}") as connection:
        assert await may_join(connection, stage.shop.id)
    async with stand.connect("/ws", headers={"Authorization": f"bearer {token}"}) as connection:
        assert await may_join(connection, stage.shop.id)


async def test_a_browser_comes_back_with_its_cookie(stand, stage, cookie):
    headers = {"Cookie": f"other=1; parley_session={cookie}"}
    for origin in (HOME, PAGE, None):
        async with stand.connect("/ws", headers=headers, origin=origin) as connection:
            assert await may_join(connection, stage.shop.id)


@pytest.mark.parametrize(
    "origin", [EVIL, "null", PAGE + ".evil.example", "https://localhost:3000", "http://localhost"]
)
async def test_a_foreign_page_is_refused_whatever_it_shows(stand, stage, cookie, origin):
    headers = {"Cookie": f"parley_session={cookie}"}
    assert await refused(stand, "/ws", headers=headers, origin=origin) == (403, "origin_not_allowed")
    path = f"/ws?token={stand.access(stage.owner)}"
    assert await refused(stand, path, origin=origin) == (403, "origin_not_allowed")


async def test_a_visitor_comes_from_a_page_that_the_shop_names(stand, stage):
    path = f"/ws/chat?tenantId={stage.shop.id}&token={stand.visit(stage.visitor)}"
    async with stand.connect(path, origin="http://localhost:5173") as connection:
        await Client(connection).until(type="ready")
    await stand.application.shops.allow_origins(
        actor=stage.owner, shop_id=stage.shop.id, origins=["https://shop.example"]
    )
    for origin in ("https://shop.example", HOME, None):
        async with stand.connect(path, origin=origin) as connection:
            await Client(connection).until(type="ready")
    for origin in (EVIL, "http://localhost:5173"):
        assert await refused(stand, path, origin=origin) == (403, "origin_not_allowed")


async def test_a_visitor_of_another_tenant_is_refused(stand, stage, db, clock):
    abroad = await builders.a_shop(db, clock)
    path = f"/ws/chat?tenantId={abroad.shop.id}&token={stand.visit(stage.visitor)}"
    assert await refused(stand, path) == (401, "bad_token")


async def test_a_tenant_that_nobody_filled_in_is_none(stand, stage):
    path = f"/ws/chat?tenantId=your-tenant-id&token={stand.visit(stage.visitor)}"
    async with stand.connect(path) as connection:
        assert (await Client(connection).until(type="ready"))["tenantId"] == stage.shop.id


async def test_a_visitor_may_authenticate_in_the_first_frame(stand, stage):
    await stand.says(stage.visitor, "one")
    await stand.says(stage.visitor, "two")
    async with stand.connect(f"/ws/chat?tenantId={stage.shop.id}") as connection:
        page = Client(connection)
        await page.send(type="message", clientId="one", text="too early")
        early = await page.until(type="error")
        assert (early["code"], early["clientId"]) == ("not_authenticated", "one")
        await page.send(type="auth", token=stand.visit(stage.visitor), after=1)
        await page.until(type="resumed")
        assert [message["text"] for message in page.messages()] == ["two"]
        await page.send(type="auth", token=stand.visit(stage.visitor))
        assert (await page.until(type="error"))["code"] == "already_authenticated"


@pytest.mark.parametrize("who", ["stranger", "nonsense", "agent"])
async def test_a_bad_token_in_the_first_frame_ends_the_connection(stand, stage, db, clock, who):
    abroad = await builders.a_shop(db, clock)
    token = {
        "stranger": stand.visit(abroad.visitor),
        "agent": stand.access(stage.owner),
        "nonsense": "nonsense",
    }[who]
    async with stand.connect(f"/ws/chat?tenantId={stage.shop.id}") as connection:
        page = Client(connection)
        await page.send(type="auth", token=token)
        assert (await page.until(type="error"))["code"] == "bad_token"
        assert await page.closed() == 1008


async def test_an_agent_may_authenticate_in_a_frame(stand, stage, agent):
    async with stand.connect("/ws") as connection:
        inbox = Client(connection)
        await inbox.event("auth", token="nonsense")
        assert (await inbox.until(event="error"))["data"]["code"] == "bad_token"
        await inbox.event("auth", token=stand.access(agent))
        assert (await inbox.until(event="authenticated"))["data"]["userId"] == agent.user_id
        await inbox.event("auth", token=stand.access(stage.owner))
        assert (await inbox.until(event="error"))["data"]["code"] == "bad_token"
        assert await may_join(connection, stage.shop.id)


@pytest.mark.parametrize("path", ["/ws", "/ws/chat"])
async def test_the_anonymous_do_not_stay(serve, path):
    stand = await serve(auth_seconds=0.1)
    async with stand.connect(path) as connection:
        assert await Client(connection).closed() == 1008


async def test_the_authenticated_stay_longer(serve, stage, agent):
    stand = await serve(auth_seconds=0.05, idle_seconds=0.3)
    async with stand.agent(agent) as inbox, stand.visitor(stage.visitor) as page:
        assert await inbox.closed() == 1001
        assert await page.closed() == 1001


async def test_who_signed_out_is_sent_away(serve, stage, db):
    stand = await serve(recheck_seconds=0)
    logins: Logins = stand.container.logins()
    owner = stage.owner.user_id
    started = await db.transact(lambda tx: logins.start(tx, owner), shop=SYSTEM)
    async with stand.connect("/ws", headers={"Cookie": f"parley_session={started.cookie}"}) as connection:
        inbox = Client(connection)
        await inbox.settled()
        actor = await stand.application.identity.read_cookie(started.cookie)
        assert isinstance(actor, UserActor)
        await stand.application.identity.log_out(login_ids={actor.login_id})
        await inbox.event("ping")
        assert await inbox.closed() == 1008


async def test_one_address_may_not_open_sockets_without_end(serve):
    stand = await serve(sockets_per_address=Rate(3, 60))
    for _ in range(3):
        async with stand.connect("/ws"):
            pass
    assert await refused(stand, "/ws") == (429, "rate_limited")
    forged = {"X-Forwarded-For": "203.0.113.9"}
    assert await refused(stand, "/ws", headers=forged) == (429, "rate_limited")


async def test_addresses_behind_a_trusted_proxy_are_told_apart(serve):
    stand = await serve(sockets_per_address=Rate(1, 60), trusted_proxies=("127.0.0.0/8",))
    for last in range(3):
        async with stand.connect("/ws", headers={"X-Forwarded-For": f"198.51.100.1, 203.0.113.{last}"}):
            pass
    forged = {"X-Forwarded-For": "198.51.100.77, 203.0.113.1"}
    assert await refused(stand, "/ws", headers=forged) == (429, "rate_limited")


async def test_an_unusable_place_to_resume_from_is_refused(stand, stage):
    for after in ("-1", "x", "1" * 40, "٣"):
        path = f"/ws/chat?token={stand.visit(stage.visitor)}&after={after}"
        assert await refused(stand, path) == (400, "invalid")


async def test_no_token_gets_into_a_log(stand, stage, caplog):
    caplog.set_level("INFO")
    secret, forged = stand.visit(stage.visitor), stand.visit(stage.visitor)[:-4] + "AAAA"
    with capture_logs() as lines:
        async with stand.connect(f"/ws/chat?token={secret}") as connection:
            await Client(connection).until(type="ready")
        await refused(stand, f"/ws/chat?token={forged}")
    written = json.dumps(lines, default=str) + caplog.text
    assert secret not in written
    assert forged not in written
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
