"""Which sessions and conversations a connected page may follow."""

from dataclasses import dataclass

from core.conversations.errors import ConversationNotFound, SessionNotFound
from core.conversations.model import Conversation, VisitorSession
from core.kernel import ShopKeyActor, VisitorActor
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class Followed:
    """A session, as far as it is stored, and the conversation of its visitor."""

    visitor_id: str
    session: VisitorSession | None
    conversation: Conversation | None


@dataclass(frozen=True, slots=True)
class FollowSession:
    db: Database

    async def __call__(self, *, actor: VisitorActor | ShopKeyActor, session_id: str) -> Followed:
        """A visitor's own session, or one of the shop's for its admin. Raises SessionNotFound."""

        def work(tx: Transaction) -> Followed:
            session = tx.visitors.find_session(session_id)
            visitor_id = self._visitor(actor, session_id, session)
            return Followed(visitor_id, session, tx.conversations.of_visitor(visitor_id))

        return await self.db.read(work, shop=actor.shop_id)

    def _visitor(
        self, actor: VisitorActor | ShopKeyActor, session_id: str, session: VisitorSession | None
    ) -> str:
        """Whose session it is. A token that names a session is good for that one alone."""
        if isinstance(actor, ShopKeyActor):
            if session is None:
                raise SessionNotFound
            return session.visitor_id
        is_named = actor.session_id == session_id
        is_own = session is not None and session.visitor_id == actor.visitor_id
        if not (is_named or (actor.session_id is None and is_own)):
            raise SessionNotFound
        return actor.visitor_id


@dataclass(frozen=True, slots=True)
class FollowConversation:
    db: Database

    async def __call__(self, *, actor: VisitorActor | ShopKeyActor, conversation_id: str) -> Conversation:
        """A visitor's own conversation, or any of the shop's for its admin. Raises ConversationNotFound."""
        conversation = await self.db.read(
            lambda tx: tx.conversations.get(conversation_id), shop=actor.shop_id
        )
        if isinstance(actor, VisitorActor) and conversation.visitor_id != actor.visitor_id:
            raise ConversationNotFound
        return conversation
