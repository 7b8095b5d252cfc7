"""Weaknesses of the contract that attackers would look for, each with an attack that fails."""

import asyncio
import json
from contextlib import suppress
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosed

from tests import builders
from tests.socketio.stand import until

# 1: the key that every page holds opens nothing that is the shop's alone.


async def test_weakness_1_a_visitor_may_not_ask_who_is_online(stand, stage):
    other = await stand.session(stage.shop.id)
    async with stand.page(await stand.session(stage.shop.id)) as page, stand.page(other):
        await page.emit("get_online_users", {"type": "get_online_users", "tenantId": stage.shop.id})
        error = await page.until("error")
        assert error["code"] == "FORBIDDEN"
        assert error["event"] == "get_online_users"
        assert page.events("online_users_list") == []


async def test_weakness_1_the_public_key_neither_connects_nor_lists(stand, stage):
    async with stand.dialled() as raw:
        await raw.greet(stage.shop.public_key)
        assert raw.refused["data"]["code"] == "INVALID_JWT_TOKEN"
    async with stand.http() as http:
        for headers in ({}, {"Authorization": f"Bearer {stage.shop.public_key}"}):
            answer = await http.get(f"/api/webchat/online-users?tenantId={stage.shop.id}", headers=headers)
            assert answer.status_code == 401, answer.text
            assert "users" not in answer.json()


async def test_weakness_1_visitors_are_told_nothing_of_who_comes_and_goes(stand, stage):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        async with stand.page(await stand.session(stage.shop.id)):
            pass
        assert await page.settled() == []


# 2: rooms belong to those who may be in them.


async def test_weakness_2_a_session_of_somebody_else_can_not_be_joined(stand, stage):
    victim, attacker = await stand.session(stage.shop.id), await stand.session(stage.shop.id)
    async with stand.connected(stand.token(attacker)) as page:
        [(name, error)] = await page.join(victim.session_id)
        assert (name, error["code"]) == ("error", "SESSION_NOT_FOUND")
        await stand.says(victim, "For the shop's eyes")
        assert await page.settled() == []


async def test_weakness_2_a_conversation_of_somebody_else_can_not_be_joined(stand, stage, agent):
    victim, attacker = await stand.session(stage.shop.id), await stand.session(stage.shop.id)
    said = await stand.says(victim, "For the shop's eyes")
    async with stand.connected(stand.token(attacker)) as page:
        for conversation_id in (said.conversation_id, "no-such-conversation"):
            await page.emit("join:conversation", conversation_id)
            assert (await page.until("error"))["code"] == "INVALID_CONVERSATION"
        await stand.answers(agent, stage.shop.id, said.conversation_id, "For the victim's")
        assert await page.settled() == []
        assert page.events("joined") == []


async def test_weakness_2_no_shop_looks_into_another(stand, stage, db, clock):
    other = await builders.a_shop(db, clock)
    victim = await stand.session(other.shop.id)
    said = await stand.says(victim, "For the other shop")
    tokens = [stand.token(await stand.session(stage.shop.id)), await stand.admin_token(stage.shop.id)]
    for token in tokens:
        async with stand.connected(token) as page:
            await page.emit("join:session", victim.session_id)
            assert (await page.until("error"))["code"] == "SESSION_NOT_FOUND"
            await page.emit("join:conversation", said.conversation_id)
            assert (await page.until("error"))["code"] == "INVALID_CONVERSATION"
            await stand.says(victim, "And again")
            assert await page.settled() == []


async def test_weakness_2_an_admin_follows_its_own_shop_and_posts_nothing(stand, stage):
    visitor = await stand.session(stage.shop.id)
    said = await stand.says(visitor, "Hello")
    async with stand.connected(await stand.admin_token(stage.shop.id)) as admin:
        [(name, content)] = await admin.join(visitor.session_id)
        assert (name, content["conversation_id"]) == ("conversation:created", said.conversation_id)
        await stand.says(visitor, "Is anybody there?")
        assert (await admin.until("message:new"))["message"]["text"] == "Is anybody there?"
        await admin.emit("message", {"text": "I am", "sender_type": "agent"})
        assert (await admin.until("error"))["code"] == "FORBIDDEN"


# 9: tokens of one kind pass for no other.


async def test_weakness_9_a_socket_token_is_no_agents_token(stand, stage):
    tokens = [stand.token(await stand.session(stage.shop.id)), await stand.admin_token(stage.shop.id)]
    async with stand.http() as http:
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            for path in (f"/api/shops/{stage.shop.id}/conversations", "/api/webchat/online-users"):
                assert (await http.get(path, headers=headers)).status_code in {401, 403}


async def test_weakness_9_an_admins_token_dies_with_the_key_that_it_was_got_with(serve, stage):
    stand = await serve()
    token = await stand.admin_token(stage.shop.id)
    async with stand.connected(token) as admin:
        await stand.application.shops.replace_admin_key(actor=stage.owner, shop_id=stage.shop.id)
        async with stand.dialled() as raw:
            await raw.greet(token)
            assert raw.refused["data"]["code"] == "INVALID_JWT_TOKEN"
        await stand.service.socketio.recheck()
        assert await admin.closed() == 1008


@pytest.mark.parametrize("token", ["eyJhbGciOiJub25lIn0.e30.", "a.b.c", "\x00", "é" * 30, "." * 100])
async def test_weakness_9_forged_tokens_are_refused(stand, token):
    async with stand.dialled() as raw:
        await raw.greet(token)
        assert raw.refused["data"]["code"] == "INVALID_JWT_TOKEN"


# What the library alone would have let through.


async def test_an_event_called_connect_reaches_no_handler(stand, stage):
    """The library would call its handler for connecting, with what the client sends as environment."""
    async with stand.page(await stand.session(stage.shop.id)) as page:
        for event in ("connect", "disconnect", "*", "__class__", "x" * 1_000):
            await page.emit(event, {"client": {}}, {"token": "x"})
            error = await page.until("error")
            assert error["code"] == "UNKNOWN_EVENT"


NO_PACKETS = {
    "an event without a name": "42[]",
    "an event that is an object": '42{"a": 1}',
    "an event named by a list": '42[["join:session"], "x"]',
    "an event named by a number": "42[7]",
    "broken JSON": '42["join:session", ',
    "not a number": '42["message", {"text": NaN}]',
    "half a surrogate": '42["message", {"text": "\\ud800"}]',
    "too deep": "42" + "[" * 20_000,
    "binary announced": '451-["message", {"_placeholder": true, "num": 0}]',
    "an acknowledgement of nothing": "431[]",
    "an endless id": "42" + "7" * 200 + '["join:session", "x"]',
    "a refusal": '44{"message": "no"}',
    "another namespace": '42/admin,["join:session", "x"]',
}


@pytest.mark.parametrize("packet", NO_PACKETS.values(), ids=NO_PACKETS)
async def test_broken_packets_break_nothing(stand, stage, packet):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        await page.send(packet)
        await page.emit("message", {"text": "Hello"})
        while not page.events("message:new"):
            name, content = await page.next()
            assert name in {"error", "conversation:created", "message:new"}
            assert "Traceback" not in json.dumps(content)


@pytest.mark.parametrize("text", ["", "x", "7", "4", "0{}", "[[[[", "4" + "[" * 20_000, "hello world"])
async def test_what_is_not_engine_io_ends_the_connection(stand, stage, text):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        await page.send(text)
        assert await page.closed() == 1008


async def test_binary_frames_are_refused_and_nothing_is_kept_of_them(stand, stage):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        await page.connection.send(b"\x00\x01")
        assert (await page.until("error"))["code"] == "INVALID_FRAME"
        await page.emit("message", {"text": "Hello"})
        await page.until("message:new")


async def test_a_frame_that_is_too_big_ends_the_connection(stand, stage):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        await page.emit("message", {"text": "x" * 70_000})
        assert await page.closed() == 1009


async def test_a_flood_is_told_off_and_then_cut(serve, stage):
    stand = await serve(limits={"socket_frames": "20/10"})
    async with stand.page(await stand.session(stage.shop.id)) as page:
        for _ in range(60):
            await page.emit("leave:session", "nobody")
        assert await page.closed() == 1008
        errors = page.events("error")
        assert errors
        assert {error["code"] for error in errors} == {"RATE_LIMIT_EXCEEDED"}


async def test_who_connects_and_shows_nothing_is_sent_away(stand, monkeypatch):
    monkeypatch.setattr(stand.service.socketio, "options", shorter(stand, auth_seconds=0.2))
    async with stand.dialled() as raw:
        assert await raw.closed() == 1008


def shorter(stand, **seconds):
    return replace(stand.service.socketio.options, **seconds)


async def test_a_reader_that_does_not_read_is_cut_off_and_holds_nobody_up(stand, stage, monkeypatch):
    monkeypatch.setattr(
        stand.service.socketio, "options", shorter(stand, queue_frames=50, farewell_seconds=0.2)
    )
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as good, stand.page(visitor) as bad:
        bad.connection.transport.pause_reading()
        said = 0
        while stand.service.hub.size == 2:
            await stand.says(visitor, "x" * 4_000)
            said += 1
            await good.until("message:new")
            await asyncio.sleep(0)
            assert said < 3_000
        await stand.says(visitor, "last")
        while good.texts()[-1] != "last":
            await good.until("message:new")
        assert len(good.texts()) == said + 1
        bad.connection.transport.abort()


async def test_who_answers_no_pings_is_let_go(stand, stage, monkeypatch):
    engine = stand.service.socketio.server.eio
    monkeypatch.setattr(engine, "ping_interval", 0.1)
    monkeypatch.setattr(engine, "ping_timeout", 0.2)
    async with stand.page(await stand.session(stage.shop.id)) as page:
        with suppress(ConnectionClosed):
            async with asyncio.timeout(10):
                while True:
                    await page.connection.recv()
    await until(lambda: not stand.service.socketio.server.clients)
    assert not engine.sockets
    assert len(stand.service.lobby.rooms) == 0
