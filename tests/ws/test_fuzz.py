"""Whatever a client sends, it is answered, and the connection lasts."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.db.factory import open_database
from adapters.db.transaction import Context
from adapters.providers.memory import ManualClock
from adapters.providers.system import RandomIds
from ports.limits import Rate
from tests import builders
from tests.ws.stand import Stand

WORDS = st.sampled_from(
    [
        "message",
        "typing",
        "read",
        "resume",
        "ping",
        "auth",
        "shop:join",
        "shop:leave",
        "typing:start",
        "typing:stop",
        "message:read",
    ]
)
ENVELOPE = ["type", "event", "data", "clientId", "text", "attachments", "senderName", "state", "sequence"]
NAMES = st.sampled_from(
    [*ENVELOPE, "after", "id", "token", "shopId", "conversationId", "position", "items", "payload", "url"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.builds(
    lambda fields, word: {"type": word, "event": word} | fields,
    st.dictionaries(NAMES, VALUES, max_size=6),
    WORDS,
)
FRAMES = OBJECTS.map(json.dumps) | VALUES.map(json.dumps) | st.text(max_size=60) | st.binary(max_size=60)
LAST = {
    "agent": {"event": "shop:leave", "data": {"shopId": "the-last"}},
    "visitor": {"type": "ping", "id": "the-last"},
}


class Line:
    """Both ends of a connection, without a server."""

    def __init__(self, path, query):
        self.scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "headers": [],
            "client": ("127.0.0.1", 1),
            "extensions": {},
        }
        self.incoming, self.outgoing = asyncio.Queue(), asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})

    def put(self, frame):
        self.incoming.put_nowait(
            {
                "type": "websocket.receive",
                "text": frame if isinstance(frame, str) else None,
                "bytes": None if isinstance(frame, str) else frame,
            }
        )

    async def answers(self):
        """All of them, up to that to LAST."""
        answers = []
        while not answers or "the-last" not in json.dumps(answers[-1]):
            sent = await self.outgoing.get()
            if sent["type"] != "websocket.accept":
                assert sent["type"] == "websocket.send", sent
                answers.append(json.loads(sent["text"]))
        return answers


async def converse(side, frames):
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    db = open_database("memory://", Context(clock, RandomIds(), {}))
    stand = Stand(db, clock, frames=Rate(1_000, 1))
    stage = await builders.a_shop(db, clock)
    agents = side == "agent"
    token = stand.access(stage.owner) if agents else stand.visit(stage.visitor)
    line = Line("/ws" if agents else "/ws/chat", f"token={token}")
    await stand.feed.open()
    serving = asyncio.create_task(stand.app(line.scope, line.incoming.get, line.outgoing.put))
    for frame in [*frames, json.dumps(LAST[side])]:
        line.put(frame)
    async with asyncio.timeout(10):
        answers = await line.answers()
    line.incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await serving
    await stand.feed.close()
    await db.close()
    return answers


@pytest.mark.parametrize("side", ["agent", "visitor"])
@settings(max_examples=60, deadline=None)
@given(frames=st.lists(FRAMES, min_size=1, max_size=12))
def test_no_frame_breaks_a_connection(side, frames):
    answers = asyncio.run(converse(side, frames))
    codes = {answer.get("data", answer).get("code") for answer in answers}
    assert "internal_error" not in codes
