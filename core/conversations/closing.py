"""The end of a web chat that nobody goes on with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.conversations.errors import ConversationNotFound
from core.conversations.events import ConversationOpened, ConversationReopened
from core.conversations.model import Channel, CloseReason, Conversation, Status
from ports.clock import Clock
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class CloseSilent:
    """Subscriber of ConversationOpened and ConversationReopened: follows a chat until it ends."""

    db: Database
    clock: Clock
    after: timedelta

    async def __call__(
        self, shop_id: str, began: ConversationOpened | ConversationReopened
    ) -> datetime | None:
        """Close the chat after so long without a message, unless the shop has put it aside as pending.

        Returns when to look again, while it goes on.
        """

        def work(tx: Transaction) -> datetime | None:
            try:
                conversation = tx.conversations.get(began.conversation_id, lock=True)
            except ConversationNotFound:
                return None
            if not _is_followed(conversation):
                return None
            now, ends_at = self.clock.now(), conversation.last_message_at + self.after
            if now < ends_at:
                return ends_at
            if conversation.status is Status.PENDING:
                return now + self.after
            conversation.close(CloseReason.INACTIVITY, now)
            tx.conversations.save(conversation)
            return None

        return await self.db.transact(work, shop=shop_id)


def _is_followed(conversation: Conversation) -> bool:
    """A chat on the web, until it is closed. Threads of the other channels have no end."""
    is_chat = conversation.channel is Channel.WEB and conversation.visitor_id is not None
    return is_chat and conversation.status is not Status.CLOSED
