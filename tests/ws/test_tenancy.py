"""Every event and frame that clients may send, as sent by people whom it is no business of.

The lists come from the adapter: one that is new and has no example here fails.
"""

from typing import Any, get_args

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from adapters.ws import visitor_in
from adapters.ws.agent import HEARD
from core.kernel import VisitorActor
from tests import builders

NO_SHOP_INVOLVED = {"auth", "ping"}
FRAMES = {kind.__struct_config__.tag for kind in get_args(visitor_in.In)}
EXAMPLES = {
    "auth": {"token": "no-token"},
    "message": {"clientId": "c", "text": "Hello"},
    "typing": {"state": "start"},
    "read": {"sequence": 1},
    "resume": {"after": 0},
    "ping": {},
}


def data_for(event: str, shop_id: str, conversation_id: str) -> dict[str, Any]:
    """Whatever fields the event has, filled in as one would to get at somebody's conversation."""
    known = {"shop_id": shop_id, "conversation_id": conversation_id, "sequence": 1, "position": 0}
    shape, _ = HEARD[event]
    names = [field.name for field in msgspec.structs.fields(shape)]
    assert set(names) <= set(known) | {"token"}, f"{event} has a field that this test knows nothing of"
    wire = {field.name: field.encode_name for field in msgspec.structs.fields(shape)}
    return {wire[name]: known[name] for name in names if name in known}


@pytest.mark.parametrize("event", sorted(set(HEARD) - NO_SHOP_INVOLVED))
async def test_no_event_reaches_another_shop(stand, stage, db, clock, event):
    message = await stand.says(stage.visitor, "Hello")
    abroad = await builders.a_shop(db, clock)
    data = data_for(event, stage.shop.id, message.conversation_id)
    before = await state(db, stage, message)
    for outsider in (abroad.owner, await builders.a_user(db, clock), None):
        async with stand.agent(outsider) as client:
            await client.event(event, **data)
            answer = await client.next()
            if event == "shop:leave":
                # There is nothing to leave; saying so tells nothing of the shop.
                assert answer["event"] in {"shop:left", "error"}
            else:
                assert answer["event"] == "error"
            await stand.says(stage.visitor, "Does anybody overhear this?")
            assert await client.settled() == []
    assert await state(db, stage, message) == before


async def state(db, stage, message):
    conversation = await db.read(lambda tx: tx.conversations.get(message.conversation_id), shop=stage.shop.id)
    return conversation.agent_read_sequence, conversation.status, conversation.is_ai_active


def test_every_frame_has_an_example():
    assert set(EXAMPLES) == FRAMES


@pytest.mark.parametrize("kind", sorted(FRAMES))
async def test_no_frame_of_a_visitor_reaches_anybody_elses_conversation(stand, stage, db, clock, kind):
    message = await stand.says(stage.visitor, "Between the shop and me")
    abroad = await builders.a_shop(db, clock)
    others = (VisitorActor(stage.shop.id, builders.ids.new()), abroad.visitor)
    before = await state(db, stage, message), await said(db, stage, message)
    for other in others:
        async with stand.visitor(other) as client:
            await client.send(type=kind, **EXAMPLES[kind])
            told = await client.settled()
            assert "Between the shop and me" not in str(told)
            assert message.conversation_id not in str(told)
    assert (await state(db, stage, message), await said(db, stage, message)) == before


async def said(db, stage, message):
    return await db.read(lambda tx: tx.messages.page(message.conversation_id, limit=9), shop=stage.shop.id)


@pytest.mark.parametrize("kind", sorted(FRAMES - {"auth", "ping"}))
async def test_no_frame_works_for_nobody(stand, stage, kind):
    async with stand.connect(f"/ws/chat?tenantId={stage.shop.id}") as connection:
        await connection.send(msgspec.json.encode({"type": kind, **EXAMPLES[kind]}).decode())
        answer = msgspec.json.decode(await connection.recv())
    assert (answer["type"], answer["code"]) == ("error", "not_authenticated")


async def test_each_sides_token_opens_only_its_own_door(stand, stage, agent):
    for path, token in (("/ws", stand.visit(stage.visitor)), ("/ws/chat", stand.access(agent))):
        with pytest.raises(InvalidStatus) as refused:
            async with stand.connect(f"{path}?token={token}"):
                pass
        assert refused.value.response.status_code == 401


@pytest.mark.parametrize("kind", sorted(FRAMES))
async def test_a_field_that_nobody_knows_is_refused_by_name(stand, stage, kind):
    async with stand.visitor(stage.visitor) as client:
        await client.send(type=kind, **EXAMPLES[kind], colour="green")
        answer = await client.next()
    assert (answer["type"], answer["code"]) == ("error", "invalid_frame")
    assert "colour" in answer["detail"]
