"""The parts by themselves: what is told of which event, the queue of clients that poll, the page about it."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Struct

from adapters.wire.presence import OnlineOut
from adapters.ws.socketio import events_out
from adapters.ws.socketio.client import HEARD
from adapters.ws.socketio.lobby import ECHO_SECONDS, REMEMBERED, Lobby
from adapters.ws.socketio.outbox import Outbox
from adapters.ws.socketio.packets import Push
from adapters.ws.socketio.rooms import Rooms, session_room, visitor_room
from core.conversations import events
from core.kernel import Event, VisitorActor
from ports.db import Recorded
from tests.ws.test_parts import EXAMPLES, posted

PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "socketio.md"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TOLD = {
    events.MessagePosted,
    events.ConversationChanged,
    events.ConversationClosed,
    events.ConversationReopened,
    events.ConversationDeleted,
}
TOLD_OTHERWISE = {events.ConversationOpened}
"""To each session with its own id."""

NOT_FOR_PAGES = {events.MessageDeleted, events.MessagesRead, events.AgentsNotified, events.AnswerDue}
KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]


def recorded(event):
    return Recorded(id="e", shop_id="shop", position=1, occurred_at=NOW, event=event)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Event], ids=lambda kind: kind.topic)
def test_every_event_is_told_or_said_not_to_be(kind):
    assert kind in TOLD | TOLD_OTHERWISE | NOT_FOR_PAGES
    if kind in EXAMPLES:
        assert (events_out.told(recorded(kind(**EXAMPLES[kind]))) is not None) == (kind in TOLD)


def test_notes_are_not_told():
    assert events_out.told(posted(1, is_note=True)) is None
    assert events_out.told(posted(1)) is not None


def test_the_page_describes_every_event_and_field():
    prose = re.sub(r"```.*?```", "", PAGE.read_text(), flags=re.DOTALL)
    words = set(re.findall(r"`([^`]+)`", prose))
    shapes = [shape for shape in vars(events_out).values() if isinstance(shape, type) and shape is not Struct]
    fields = {
        name
        for shape in (*shapes, OnlineOut)
        if issubclass(shape, Struct) and shape.__module__.endswith(("events_out", "presence"))
        for name in shape.__struct_encode_fields__
    }
    told = {"joined", "conversation:created", "message:new", "session:update", "user_online", "user_offline"}
    told |= {
        "online_users_list",
        "error",
        "conversation:closed",
        "conversation:reopened",
        "conversation:update",
    }
    assert (fields | told | set(HEARD)) - words - {"users", "message"} == set()


def test_a_packet_is_written_once_for_every_way():
    push = Push("message:new", {"message": {"text": "é"}})
    assert push.frame is push.frame
    assert push.frame.message["text"] == '42["message:new",{"message":{"text":"é"}}]'
    assert push.packet.encode() == push.frame.message["text"]


async def test_an_outbox_is_bounded_by_packets_and_by_bytes_and_says_when_it_is_full():
    full = []
    for box, count in ((Outbox(3, 10_000), 3), (Outbox(100, 60), 2)):
        box.on_full = lambda: full.append(1)
        for _ in range(10):
            await box.put(Push("x" * 20, None).packet)
        assert box.qsize() == count
        assert full
        await box.put(None)
        for _ in range(count):
            assert await box.get() is not None
        assert await box.get() is None
        await box.put(Push("again", None).packet)
        assert box.qsize() == 1
        full.clear()


async def test_an_outbox_hands_each_packet_to_one_reader_also_when_another_gives_up():
    box = Outbox(10, 1_000)
    readers = [asyncio.create_task(box.get()) for _ in range(3)]
    await asyncio.sleep(0)
    joining = asyncio.create_task(box.join())
    await joining
    box.put_nowait("first")
    readers[0].cancel()
    got = await readers[1]
    joining = asyncio.create_task(box.join())
    await asyncio.sleep(0)
    assert (got, joining.done()) == ("first", False)
    box.task_done()
    await joining
    box.put_nowait("second")
    assert await readers[2] == "second"
    with pytest.raises(asyncio.QueueEmpty):
        box.get_nowait()


def test_rooms_are_of_one_shop_and_leave_nothing_behind():
    rooms = Rooms()
    one, other = session_room("shop", "s"), session_room("other", "s")
    rooms.enter("a", one)
    rooms.enter("a", visitor_room("shop", "v"))
    rooms.enter("b", other)
    assert rooms.of(one, visitor_room("shop", "v"), None) == {"a"}
    assert rooms.of(other) == {"b"}
    for room in (one, visitor_room("shop", "v"), one):
        rooms.leave("a", room)
    rooms.leave("b", other)
    assert len(rooms) == 0


class Member:
    session_id = "s"
    has_caught_up = True

    def __init__(self):
        self.pushed = []

    def push(self, push):
        self.pushed.append(push)


async def test_an_answer_waits_for_its_own_message_and_not_for_ever(monkeypatch):
    monkeypatch.setattr("adapters.ws.socketio.lobby.ECHO_SECONDS", 0.05)
    lobby, member, visitor = Lobby(), Member(), VisitorActor("shop", "v", "s")
    event = posted(1)
    message = event.event.message
    assert await lobby.has_shown(visitor, message, again=False), "nobody is there to be shown it"
    lobby.rooms.enter(member, visitor_room("shop", "v"))
    assert not await lobby.has_shown(visitor, message, again=False)
    waiting = asyncio.create_task(lobby.has_shown(visitor, message, again=False))
    await asyncio.sleep(0)
    lobby.deliver(event)
    assert await waiting
    assert await lobby.has_shown(visitor, message, again=False)
    member.has_caught_up = False
    assert not await lobby.has_shown(visitor, message, again=False)
    assert ECHO_SECONDS >= 0.5
    assert REMEMBERED >= 1_000
