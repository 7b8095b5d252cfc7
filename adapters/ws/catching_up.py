"""What an agent missed of a shop's stream, as frames."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.ws import states
from adapters.ws.agent_out import frame_of, update_frame
from adapters.ws.asgi import Frame
from adapters.ws.desk import Desk
from adapters.ws.states import Subject
from core.conversations.errors import StreamGone
from core.conversations.events import MessagePosted
from core.conversations.joining import Joined
from core.kernel import Agent
from ports.db import Recorded

OVERLAP = 100
"""Events before the client's position that are looked at again: a conversation's state is read a moment after
the event, so a client that left in that moment knows the position and not the state."""

MOMENT = timedelta(seconds=5)

SHOWN_LIMIT = 100
"""Conversations and orders; with more of them, loading anew is cheaper."""


@dataclass(frozen=True, slots=True)
class Past:
    position: int
    frames: Sequence[Frame]
    stale: Sequence[Subject]
    """What changed again while it was read."""


async def read_past(desk: Desk, agent: Agent, shop_id: str, since: int) -> Past:
    """Everything after `since`. Raises ShopNotFound, Forbidden, or StreamGone."""
    joined = await _joined(desk, agent, shop_id, since)
    changed = _changed(joined.missed, since)
    if len(changed) > SHOWN_LIMIT:
        raise StreamGone
    shown = [(await desk.hub.read_state(shop_id, each)) for each in changed]
    # Read again after the states, so that no state goes out before the messages that it holds.
    later = await desk.application.inbox.join(actor=agent, shop_id=shop_id, since=joined.position)
    missed = [*(recorded for recorded in joined.missed if recorded.position > since), *later.missed]
    told = [frame for recorded in missed if (frame := frame_of(recorded)) is not None]
    now = desk.clock.now()
    seen = [update_frame(shop_id, one.state, now, later.position) for one in shown if one.state]
    stale = [each for recorded in later.missed if (each := states.changed(recorded.event)) is not None]
    return Past(later.position, told + seen, stale)


async def _joined(desk: Desk, agent: Agent, shop_id: str, since: int) -> Joined:
    join, overlap = desk.application.inbox.join, max(0, since - OVERLAP)
    try:
        joined = await join(actor=agent, shop_id=shop_id, since=overlap)
    except StreamGone:
        if overlap == since:
            raise
        joined = await join(actor=agent, shop_id=shop_id, since=since)
    if joined.position < since:
        raise StreamGone
    return joined


def _changed(missed: Iterable[Recorded], since: int) -> list[Subject]:
    """Whose states to show: those that events after `since` changed, or in the moment before it."""
    kept = list(missed)
    left_at = next((recorded.occurred_at for recorded in kept if recorded.position == since), None)
    found: dict[Subject, None] = {}
    for recorded in kept:
        is_missed = recorded.position > since
        # A message is known from its own frame, whatever became of the state after it.
        is_recent = left_at is not None and recorded.occurred_at >= left_at - MOMENT
        is_state = is_recent and not isinstance(recorded.event, MessagePosted)
        subject = states.changed(recorded.event) if is_missed or is_state else None
        if subject is not None:
            found[subject] = None
    return list(found)
