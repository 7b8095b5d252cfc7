"""Who gets in, with which token, from which page."""

from datetime import timedelta

import pytest
from websockets.exceptions import InvalidStatus

from core.conversations.model import VisitorSession
from core.identity.authentication import CONNECTS_LATE_FOR
from core.kernel import VisitorActor
from tests import builders

DAY = timedelta(hours=24)


async def refusal(stand, token=None, auth=None, **options):
    async with stand.dialled(**options) as raw:
        await raw.greet(token, auth)
        return raw.refused and raw.refused["data"]["code"]


async def test_the_token_may_come_in_three_ways(stand, stage):
    token = stand.token(await stand.session(stage.shop.id))
    ways = [
        ({"token": token}, "", {}),
        (None, f"&token={token}", {}),
        (None, "", {"Authorization": f"Bearer {token}"}),
    ]
    for auth, query, headers in ways:
        path = f"/socket.io/?EIO=4&transport=websocket{query}"
        async with stand.dialled(path, additional_headers=headers) as raw:
            await raw.greet(auth=auth)
            assert raw.admitted, (auth, query, headers)


async def test_auth_counts_before_the_address_and_the_address_before_the_header(stand, stage):
    good, bad = stand.token(await stand.session(stage.shop.id)), "none of ours"
    path = "/socket.io/?EIO=4&transport=websocket&token="
    for auth, query, header, gets_in in [
        (good, bad, bad, True),
        (bad, good, good, False),
        (None, good, bad, True),
        (None, bad, good, False),
    ]:
        headers = {"Authorization": f"Bearer {header}"}
        async with stand.dialled(path + query.replace(" ", "+"), additional_headers=headers) as raw:
            await raw.greet(auth)
            assert bool(raw.admitted) == gets_in, (auth, query, header)


@pytest.mark.parametrize("auth", [None, {}, {"token": ""}, {"token": None}, {"other": "x"}])
async def test_without_a_token_nobody_gets_in(stand, auth):
    assert await refusal(stand, auth=auth) == "INVALID_JWT_TOKEN"


@pytest.mark.parametrize("auth", ["token", ["token"], {"token": 7}, {"token": ["x"]}, {"token": "x" * 5_000}])
async def test_an_auth_that_is_none_is_refused_in_words(stand, auth):
    assert await refusal(stand, auth=auth) == "INVALID_FRAME"


async def test_other_kinds_of_tokens_do_not_open_the_widgets_sockets(stand, stage):
    tokens = stand.container.tokens()
    shop = stage.shop
    keys = await stand.application.shops.read_keys(actor=stage.owner, shop_id=shop.id)
    for token in (
        tokens.issue_access(stage.owner).token,
        shop.public_key,
        shop.admin_key_digest,
        str(keys)[:200],
    ):
        assert await refusal(stand, token) in {"INVALID_JWT_TOKEN", "INVALID_FRAME"}


async def test_a_refused_client_may_not_stay_and_try_on(serve, stage, monkeypatch):
    stand = await serve()
    async with stand.dialled() as raw:
        await raw.greet("none of ours")
        assert raw.refused["message"] == raw.refused["data"]["message"]
        await raw.emit("join:session", "session-of-somebody")
        visitor = await stand.session(stage.shop.id)
        raw.refused = None
        await raw.greet(stand.token(visitor))
        assert raw.admitted, "but may show a better one at once"


async def test_a_token_that_lapsed_lately_opens_a_session_that_is_there(stand, stage, clock):
    visitor = await stand.session(stage.shop.id)
    token = stand.token(visitor)
    clock.advance(DAY + CONNECTS_LATE_FOR)
    assert await refusal(stand, token) is None
    clock.advance(timedelta(seconds=1))
    assert await refusal(stand, token) == "INVALID_JWT_TOKEN"


async def test_a_lapsed_token_without_its_session_is_worth_nothing(stand, stage, clock):
    gone = VisitorActor(stage.shop.id, builders.ids.new(), "session-that-is-gone")
    plain = stand.container.tokens().issue_visitor(stage.visitor).token
    tokens = [stand.token(gone), plain]
    for token in tokens:
        assert await refusal(stand, token) is None
    clock.advance(DAY + timedelta(seconds=1))
    for token in tokens:
        assert await refusal(stand, token) == "INVALID_JWT_TOKEN"


async def test_a_socket_outlives_its_token(stand, stage, clock):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        clock.advance(3 * DAY)
        await stand.says(visitor, "Still there?")
        await page.until("message:new")
        await page.emit("message", {"text": "Yes"})
        assert (await page.until("message:new"))["message"]["text"] == "Yes"


async def test_a_token_without_a_session_may_follow_a_session_of_its_own_visitor(stand, stage):
    visitor, other = stage.visitor, await stand.session(stage.shop.id)
    session = VisitorSession(
        id="session-0123456789", visitor_id=visitor.visitor_id, created_at=stand.clock.now()
    )
    await stand.db.transact(lambda tx: tx.visitors.add_session(session), shop=stage.shop.id)
    async with stand.connected(stand.container.tokens().issue_visitor(visitor).token) as page:
        assert await page.join("session-0123456789") == []
        [(name, error)] = await page.join(other.session_id)
        assert (name, error["code"]) == ("error", "SESSION_NOT_FOUND")
        await stand.says(other, "Not for them")
        said = await stand.says(visitor, "For them")
        assert (await page.until("message:new"))["message"]["id"] == said.id


ORIGINS = {
    "of the service itself": ("http://localhost:8080", True),
    "of the widget's host": ("https://webchat.amoiq.com", True),
    "that the shop allows": ("https://shop.example", True),
    "of one of the shop's sites": ("https://www.site.example", True),
    "of another shop's site": ("https://other.example", False),
    "of a stranger": ("https://evil.example", False),
    "that is like the widget's host": ("https://webchat.amoiq.com.evil.example", False),
    "of nobody": ("null", False),
}


@pytest.mark.parametrize(("origin", "is_welcome"), ORIGINS.values(), ids=ORIGINS)
async def test_a_page_has_to_be_welcome_to_the_shop(stand, stage, db, clock, origin, is_welcome):
    shop = stage.shop
    other = await builders.a_shop(db, clock)
    await stand.application.shops.allow_origins(
        actor=stage.owner, shop_id=shop.id, origins=("https://shop.example",)
    )
    for one, owner, host in (
        (shop, stage.owner, "*.site.example"),
        (other.shop, other.owner, "other.example"),
    ):
        await stand.application.sites.add(actor=owner, shop_id=one.id, name="Pages", hosts=(host,))
    token = stand.token(await stand.session(shop.id))
    code = await refusal(stand, token, additional_headers={"Origin": origin})
    assert code == (None if is_welcome else "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/socket.io/?transport=websocket", 400),
        ("/socket.io/?EIO=3&transport=websocket", 400),
        ("/socket.io/?EIO=4", 400),
        ("/socket.io/?EIO=4&transport=polling", 400),
        ("/socket.io/?EIO=4&transport=websocket&sid=nobody", 400),
        ("/socket.io/more?EIO=4&transport=websocket", 404),
    ],
)
async def test_another_handshake_is_answered_in_json(stand, path, status):
    with pytest.raises(InvalidStatus) as refused:
        async with stand.dialled(path):
            pass
    assert refused.value.response.status_code == status
    assert b'"code"' in refused.value.response.body


async def test_handshakes_are_counted_by_address(serve):
    stand = await serve(limits={"sockets_per_address": "2/60"})
    for _ in range(2):
        async with stand.dialled():
            pass
    with pytest.raises(InvalidStatus) as refused:
        async with stand.dialled():
            pass
    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["retry-after"]) >= 1


async def test_there_is_one_namespace(stand, stage):
    async with stand.dialled() as raw:
        await raw.send("40/admin," + '{"token": "x"}')
        text = await raw.connection.recv()
        assert text.startswith("44/admin,")
        assert "INVALID_NAMESPACE" in text
        await raw.greet(stand.token(await stand.session(stage.shop.id)))
        assert raw.admitted


async def test_a_second_connect_on_one_connection_changes_nothing(stand, stage):
    visitor, other = await stand.session(stage.shop.id), await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        first = page.admitted
        page.admitted = None
        await page.greet(stand.token(other))
        assert page.refused
        await page.emit("join:session", other.session_id)
        assert (await page.until("error"))["code"] == "SESSION_NOT_FOUND"
        await page.emit("message", {"text": "From the first"})
        message = (await page.until("message:new"))["message"]
        assert message["sender_id"] == visitor.visitor_id
        assert first


async def test_a_client_that_says_goodbye_is_let_go(stand, stage):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        await page.send("41")
        assert await page.closed() == 1000


async def test_a_restart_sends_pages_away_and_they_come_back_by_themselves(stand, stage):
    async with stand.page(await stand.session(stage.shop.id)) as page, stand.dialled() as quiet:
        await stand.service.drain()
        assert await page.closed() == 1012
        assert await quiet.closed() == 1012
        with pytest.raises(InvalidStatus) as refused:
            async with stand.dialled():
                pass
        assert refused.value.response.status_code == 503
