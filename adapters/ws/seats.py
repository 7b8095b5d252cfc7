"""A socket's place in an audience, and what of the live events it still has to see.

A seat is taken before the past is read, so that nothing falls between the two. Until `release` says how far
the past went, live frames wait here; then those that it covered are dropped, and the others follow in order.
"""

from collections.abc import Callable

from adapters.ws.asgi import Frame
from adapters.ws.socket import Socket
from core.conversations.events import ConversationDeleted, ConversationOpened, MessagePosted
from core.kernel import Event

ALWAYS = 2**63
"""The position of frames that show a state and not an event: no past covers them."""

HELD_LIMIT = 2_000


class AgentSeat:
    """In a shop. Its past is a position in the shop's stream. `evict` ends the stay from outside."""

    __slots__ = ("_covered", "_held", "evict", "socket", "user_id")

    def __init__(self, socket: Socket, user_id: str | None, evict: Callable[[], None]) -> None:
        self.socket, self.user_id, self.evict = socket, user_id, evict
        self._covered = 0
        self._held: list[tuple[int, Frame]] | None = []

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def offer(self, position: int, frame: Frame) -> None:
        if self._held is not None:
            self._held.append((position, frame))
            if len(self._held) > HELD_LIMIT:
                self.socket.cut_off()
        elif position > self._covered:
            self.socket.push(frame)

    def release(self, covered: int) -> None:
        held, self._held, self._covered = self._held or [], None, covered
        for position, frame in held:
            self.offer(position, frame)


class VisitorSeat:
    """In a visitor's own conversation. Its past is a sequence number; a new conversation begins anew."""

    __slots__ = ("_behind", "_conversation_id", "_held", "sent", "socket")

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.sent = 0
        """The highest sequence number that went out live, or that was there when the seat went live."""
        self._conversation_id: str | None = None
        self._behind = False
        self._held: list[tuple[Event, Frame]] | None = []

    @property
    def is_behind(self) -> bool:
        return self._behind

    def hold(self) -> None:
        self._held = [] if self._held is None else self._held

    def offer(self, event: Event, frame: Frame) -> None:
        if self._held is not None:
            self._held.append((event, frame))
            if len(self._held) > HELD_LIMIT:
                self.socket.cut_off()
        elif self._concerns(event):
            self.socket.push(frame)

    def release(self, conversation_id: str | None, covered: int) -> None:
        """Go live after `covered`."""
        sent = self.sent if conversation_id == self._conversation_id else 0
        self._conversation_id, self.sent, self._behind = conversation_id, max(sent, covered), False
        self.go_on()

    def fall_behind(self, conversation_id: str) -> None:
        """There is more to read: messages are left to the next page, everything else goes on."""
        self._conversation_id, self._behind = conversation_id, True
        self.go_on()

    def go_on(self) -> None:
        held, self._held = self._held or [], None
        for event, frame in held:
            self.offer(event, frame)

    def _concerns(self, event: Event) -> bool:
        match event:
            case MessagePosted(message=message):
                if self._behind or message.conversation_id != self._conversation_id:
                    return False
                if message.sequence <= self.sent:
                    return False
                self.sent = message.sequence
            case ConversationOpened(conversation_id=opened) if opened != self._conversation_id:
                self._conversation_id, self.sent, self._behind = opened, 0, False
            case ConversationDeleted(conversation_id=deleted) if deleted == self._conversation_id:
                self._conversation_id, self.sent, self._behind = None, 0, False
        return True
