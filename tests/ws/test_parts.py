"""The parts of the hub on their own: what waits, what is dropped, what is told."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import WSStream
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage
from wsproto.extensions import PerMessageDeflate

from adapters.providers.memory import ManualClock
from adapters.ws import agent_out, states, updates, visitor_in, visitor_out
from adapters.ws.agent import HEARD
from adapters.ws.asgi import Frame
from adapters.ws.direct import direct_writer
from adapters.ws.hub import Hub
from adapters.ws.meter import Meter, Pace
from adapters.ws.seats import ALWAYS, AgentSeat, VisitorSeat
from adapters.ws.updates import Snapshot
from core.conversations import events
from core.conversations.messages import Message, Sender
from core.conversations.model import Channel, Conversation
from core.conversations.views import ConversationView
from core.kernel import Event
from core.orders import events as order_events
from core.shops import events as shop_events
from ports.db import Recorded
from ports.limits import Rate

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stays():
    """For a seat that nobody is put out of."""


class Watched:
    """Something whose changes a test can wait for."""

    def __init__(self):
        self._changed = asyncio.Event()

    def change(self):
        self._changed.set()

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


class Ear(Watched):
    """Where a socket would be."""

    def __init__(self):
        super().__init__()
        self.heard, self.is_cut_off = [], False

    def push(self, frame):
        self.heard.append(frame)
        self.change()

    def cut_off(self):
        self.is_cut_off = True


def a_message(sequence, *, is_note=False):
    return Message(
        id=f"m{sequence}",
        conversation_id="c",
        sequence=sequence,
        sender=Sender.CUSTOMER,
        sender_id="v",
        sender_name="Mara",
        text="Hello",
        is_note=is_note,
        created_at=NOW,
    )


def posted(sequence, position=None, *, is_note=False):
    message = a_message(sequence, is_note=is_note)
    event = events.MessagePosted(message=message, visitor_id="v")
    return recorded(event, position or sequence)


def recorded(event, position=1):
    return Recorded(id=f"e{position}", shop_id="s", position=position, occurred_at=NOW, event=event)


def a_view(last_sequence):
    conversation = Conversation(
        id="c", channel=Channel.WEB, customer_name="Mara", created_at=NOW, last_message_at=NOW
    )
    return ConversationView(conversation, [a_message(number + 1) for number in range(last_sequence)])


def on(protocol):
    """A socket's `send` as Hypercorn hands it out, over this kind of HTTP."""
    stream, below, tcp = (object.__new__(kind) for kind in (WSStream, protocol, TCPServer))
    stream.connection = Connection(ConnectionType.SERVER, [])
    stream.send, below.send = below.stream_send, tcp.protocol_send
    tcp.writer = SimpleNamespace(transport=None)
    return stream.app_send


def test_frames_go_past_the_server_only_where_a_socket_has_its_connection_to_itself():
    assert direct_writer(on(H11Protocol)) is not None
    assert direct_writer(on(H2Protocol)) is None
    assert direct_writer(Ear().push) is None
    assert direct_writer(lambda message: None) is None


def test_nothing_that_is_compressed_goes_past_the_server():
    send, deflate = on(H11Protocol), PerMessageDeflate()
    deflate.accept("permessage-deflate")
    send.__self__.connection = Connection(ConnectionType.SERVER, [deflate])
    assert direct_writer(send) is None


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
def test_a_frame_is_what_the_servers_would_write(size):
    text = "x" * size
    frame = Frame(text.encode())
    assert frame.wire == Connection(ConnectionType.SERVER, []).send(TextMessage(data=text))
    assert frame.message == {"type": "websocket.send", "text": text}


def test_an_agents_seat_holds_drops_and_goes_on_in_order():
    ear = Ear()
    seat = AgentSeat(ear, "u", stays)
    for position in (4, 5, 6):
        seat.offer(position, position)
    seat.offer(ALWAYS, "state")
    assert ear.heard == []
    seat.release(5)
    seat.offer(5, 5)
    seat.offer(7, 7)
    assert ear.heard == [6, "state", 7]


def test_a_seat_that_is_never_released_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr("adapters.ws.seats.HELD_LIMIT", 3)
    ear, other = Ear(), Ear()
    for seat, offered in ((AgentSeat(ear, None, stays), 1), (VisitorSeat(other), posted(1).event)):
        for _ in range(4):
            seat.offer(offered, "frame")
    assert ear.is_cut_off
    assert other.is_cut_off


def test_a_visitors_seat_begins_anew_with_a_new_conversation():
    ear = Ear()
    seat = VisitorSeat(ear)
    seat.release("old", 50)
    seat.offer(events.ConversationDeleted(conversation_id="old", visitor_id="v"), "deleted")
    seat.offer(posted(1).event, "of nobody")
    seat.offer(events.ConversationOpened(conversation_id="c", visitor_id="v"), "opened")
    for sequence in (1, 2, 2):
        seat.offer(posted(sequence).event, sequence)
    assert ear.heard == ["deleted", "opened", 1, 2]


def test_a_visitors_seat_that_is_behind_leaves_messages_to_the_next_page():
    ear = Ear()
    seat = VisitorSeat(ear)
    seat.fall_behind("c")
    seat.offer(posted(8).event, 8)
    seat.offer(events.MessagesRead(conversation_id="c", visitor_id="v", reader="agent", sequence=1), "read")
    seat.hold()
    seat.offer(posted(9).event, 9)
    seat.offer(posted(10).event, 10)
    seat.release("c", 9)
    assert ear.heard == ["read", 10]


class Reader(Watched):
    """Reads conversations as a test says."""

    def __init__(self, *answers):
        super().__init__()
        self.answers, self.reads = list(answers), 0

    async def __call__(self, shop_id, subject):
        self.reads += 1
        self.change()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(updates, "GAP_SECONDS", 0.001)


def a_hub(reader):
    hub, ear = Hub(read_state=reader, clock=ManualClock(NOW)), Ear()
    seat = AgentSeat(ear, "u", stays)
    hub.seat_agent("s", seat)
    seat.release(0)
    return hub, ear


def told(ear):
    return [agent_out_event(frame) for frame in ear.heard]


def agent_out_event(frame):
    return frame.message["text"].split('"event":"')[1].split('"')[0]


async def test_a_state_that_knows_more_waits_for_the_messages(quick):
    """Read at position 2, when only position 1 has been delivered."""
    reader = Reader(Snapshot(a_view(2), 2))
    hub, ear = a_hub(reader)
    hub.deliver(posted(1))
    await reader.until(lambda: reader.reads == 1)
    assert told(ear) == ["message:new"]
    hub.deliver(posted(2))
    assert told(ear) == ["message:new", "message:new", "conversation:update"]


async def test_a_burst_is_read_once(quick):
    reader = Reader(Snapshot(a_view(50), 50))
    hub, ear = a_hub(reader)
    for sequence in range(1, 51):
        hub.deliver(posted(sequence))
    await ear.until(lambda: "conversation:update" in told(ear))
    assert reader.reads == 1
    assert told(ear).count("conversation:update") == 1


async def test_a_read_that_fails_is_tried_again_but_not_for_ever(quick):
    reader = Reader(OSError(), Snapshot(a_view(1), 1))
    hub, ear = a_hub(reader)
    hub.deliver(posted(1))
    await ear.until(lambda: "conversation:update" in told(ear))
    hopeless = Reader(OSError())
    hub, ear = a_hub(hopeless)
    hub.deliver(posted(1))
    await hopeless.until(lambda: hopeless.reads == updates.TRIES)
    hub.deliver(posted(2))
    await hopeless.until(lambda: hopeless.reads == 2 * updates.TRIES)


async def test_what_was_deleted_while_it_was_read_does_not_come_back(quick):
    """The state that is on its way is older than the deletion."""
    answer = asyncio.Event()

    class Slow(Reader):
        async def __call__(self, shop_id, subject):
            snapshot = await super().__call__(shop_id, subject)
            await answer.wait()
            return snapshot

    reader = Slow(Snapshot(a_view(1), 1))
    hub, ear = a_hub(reader)
    hub.deliver(posted(1))
    await reader.until(lambda: reader.reads == 1)
    hub.deliver(recorded(events.ConversationDeleted(conversation_id="c", visitor_id="v"), 2))
    answer.set()
    hub.deliver(posted(3))
    await reader.until(lambda: reader.reads == 2)
    await ear.until(lambda: told(ear)[-1] == "conversation:update")
    assert told(ear) == ["message:new", "conversation:deleted", "message:new", "conversation:update"]


async def test_one_frame_serves_a_whole_audience():
    hub, first = a_hub(Reader(Snapshot(None, 0)))
    second = Ear()
    seat = AgentSeat(second, "other", stays)
    hub.seat_agent("s", seat)
    seat.release(0)
    hub.deliver(posted(1))
    assert first.heard[0] is second.heard[0]


async def test_an_event_that_cannot_be_told_does_not_stop_the_next(monkeypatch):
    hub, ear = a_hub(Reader(Snapshot(None, 0)))
    original = agent_out.frame_of

    def broken(entry):
        if entry.position == 1:
            raise RuntimeError
        return original(entry)

    monkeypatch.setattr(agent_out, "frame_of", broken)
    hub.deliver(posted(1))
    hub.deliver(posted(2))
    assert told(ear) == ["message:new"]


EXAMPLES = {
    events.ConversationOpened: {"conversation_id": "c", "visitor_id": "v"},
    events.ConversationChanged: {
        "conversation_id": "c",
        "visitor_id": "v",
        "status": "open",
        "is_ai_active": True,
    },
    events.ConversationClosed: {
        "conversation_id": "c",
        "visitor_id": "v",
        "reason": "inactivity",
        "closed_at": NOW,
    },
    events.ConversationReopened: {"conversation_id": "c", "visitor_id": "v", "reopened_at": NOW},
    events.ConversationDeleted: {"conversation_id": "c", "visitor_id": "v"},
    events.MessagePosted: {"message": a_message(1), "visitor_id": "v"},
    events.MessageDeleted: {"conversation_id": "c", "visitor_id": "v", "message_id": "m"},
    events.MessagesRead: {"conversation_id": "c", "visitor_id": "v", "reader": "agent", "sequence": 1},
    events.AgentsNotified: {"title": "t", "message": "m", "level": "info", "conversation_id": None},
    order_events.OrderPlaced: {
        "order_id": "o",
        "number": "LCXX-0001",
        "customer_name": "Mara",
        "total_minor": 1,
        "currency": "USD",
    },
    order_events.OrderChanged: {"order_id": "o", "status": "confirmed", "was": "pending"},
    order_events.OrderDeleted: {"order_id": "o"},
}
TOLD_AS_A_CHANGE = {events.ConversationClosed, events.ConversationReopened}
NOT_FOR_SOCKETS = {
    events.AnswerDue,
    shop_events.ShopOpened,
    shop_events.MemberJoined,
    shop_events.MemberChanged,
    shop_events.MemberLeft,
    shop_events.SubscriptionChanged,
    shop_events.ShopChanged,
    *TOLD_AS_A_CHANGE,
}
NOT_FOR_VISITORS = {
    events.AgentsNotified,
    order_events.OrderPlaced,
    order_events.OrderChanged,
    order_events.OrderDeleted,
}


KINDS = [
    kind
    for module in (events, order_events, shop_events)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.topic)
def test_every_event_is_told_or_said_not_to_be(kind):
    if kind in NOT_FOR_SOCKETS:
        return
    example = recorded(kind(**EXAMPLES[kind]))
    assert agent_out.frame_of(example) or states.changed(example.event)
    assert (visitor_out.frame_of(example) is None) == (kind in NOT_FOR_VISITORS)


def words_in(page):
    prose = re.sub(r"```.*?```", "", (PROTOCOL / page).read_text(), flags=re.DOTALL)
    return set(re.findall(r"`([^`]+)`", prose))


def test_the_pages_describe_every_frame():
    frames = [*visitor_in.FrameIn.__subclasses__(), *visitor_out.FrameOut.__subclasses__()]
    fields = {name for kind in frames for name in kind.__struct_encode_fields__}
    assert ({kind.__struct_config__.tag for kind in frames} | fields) - words_in("visitor-socket.md") == set()
    told = {agent_out.frame_of(recorded(kind(**EXAMPLES[kind]))) for kind in EXAMPLES} - {None}
    events_told = {agent_out_event(frame) for frame in told} | {"conversation:update", "pong", "error"}
    assert (events_told | set(HEARD)) - words_in("agent-socket.md") == set()


def test_visitors_are_not_told_of_notes():
    assert visitor_out.frame_of(posted(1, is_note=True)) is None


def test_the_meters_window_slides():
    meter = Meter(Rate(10, 10), now=0.0)
    assert [meter.count(9.0) for _ in range(11)] == [Pace.GOOD] * 10 + [Pace.TOO_FAST]
    assert meter.count(11.0) is Pace.TOO_FAST
    assert meter.count(40.0) is Pace.GOOD
    assert [meter.count(41.0) for _ in range(20)][-1] is Pace.HOPELESS
