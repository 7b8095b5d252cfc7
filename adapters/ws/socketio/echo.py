"""What the widget's own sockets were shown of a message, told to whoever answers its POST."""

from adapters.ws.socketio.attendance import Attendance
from adapters.ws.socketio.lobby import Lobby
from core.conversations.messages import Message
from core.conversations.signals import MessageAgain
from core.kernel import VisitorActor
from ports.feed import Feed


class SocketEcho:
    """Satisfies adapters.http's Echo."""

    def __init__(self, lobby: Lobby, attendance: Attendance, feed: Feed) -> None:
        self._lobby, self._attendance, self._feed = lobby, attendance, feed

    async def shown(self, visitor: VisitorActor, message: Message, *, again: bool = False) -> bool:
        """Whether the message is on its way to every socket of the visitor's session. Not when one of them is
        connected to another process, or nobody can tell. `again`: a repetition, which is shown once more."""
        if again:
            signal = MessageAgain(visitor_id=visitor.visitor_id, message=message)
            self._feed.signal(visitor.shop_id, signal)
        if not await self._lobby.has_shown(visitor, message, again=again):
            return False
        if visitor.session_id is None:
            return True
        return await self._attendance.is_elsewhere(visitor.shop_id, visitor.session_id) is False
