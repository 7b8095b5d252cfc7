"""What the shop's people hear and do as it happens: a shop's stream, and typing."""

from dataclasses import dataclass

from core.conversations.errors import StreamGone
from core.conversations.events import Typing
from core.conversations.messages import Sender
from core.conversations.model import Conversation
from core.kernel import Agent, UserActor
from core.shops.access import require
from core.shops.policy import Permission
from ports.db import Database, Recorded, Transaction

CATCH_UP_LIMIT = 1_000
"""How many events a client may have missed before loading anew is cheaper."""


@dataclass(frozen=True, slots=True)
class Joined:
    """An agent's place in a shop's stream: the position, and what was missed since the one asked for."""

    position: int
    missed: list[Recorded]


@dataclass(frozen=True, slots=True)
class JoinShop:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, since: int | None = None) -> Joined:
        """Admit an agent to a shop's live events. Raises ShopNotFound, StreamGone when `since` is too old."""

        def work(tx: Transaction) -> Joined:
            require(tx, actor, shop_id, Permission.VIEW_LIVE_CHAT)
            position = tx.stream.position()
            if since is None:
                return Joined(position, [])
            missed = tx.stream.after(since, CATCH_UP_LIMIT + 1)
            if len(missed) > CATCH_UP_LIMIT:
                raise StreamGone
            return Joined(missed[-1].position if missed else position, missed)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class AgentTypes:
    db: Database

    async def __call__(
        self, *, actor: UserActor, shop_id: str, conversation_id: str, is_typing: bool
    ) -> Typing:
        """What to tell the visitor and the other agents."""

        def work(tx: Transaction) -> Conversation:
            require(tx, actor, shop_id, Permission.VIEW_LIVE_CHAT)
            return tx.conversations.get(conversation_id)

        conversation = await self.db.read(work, shop=shop_id)
        return Typing(
            conversation_id=conversation.id,
            visitor_id=conversation.visitor_id,
            sender=Sender.AGENT.value,
            sender_id=actor.user_id,
            is_typing=is_typing,
        )
