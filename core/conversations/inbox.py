"""The shop's side: the inbox, and answering from it."""

from collections.abc import Callable
from dataclasses import dataclass

from core.conversations.errors import AlreadyPosted, MessageNotFound
from core.conversations.events import (
    ConversationDeleted,
    MessageDeleted,
)
from core.conversations.messages import Draft, Message, Sender, same_content
from core.conversations.model import Channel, Conversation, ConversationChanges
from core.conversations.reacting import react
from core.conversations.views import CONVERSATIONS_SHOWN, ConversationView, view, views
from core.files import attaching
from core.kernel import Agent, DoneBefore, Invalid, KeyReused, UserActor, named_id
from core.shops.access import require
from core.shops.policy import Permission
from ports.clock import Clock, Ids
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class ListConversations:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str) -> list[ConversationView]:
        """The newest first."""

        def work(tx: Transaction) -> list[ConversationView]:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            return views(tx, tx.conversations.latest(CONVERSATIONS_SHOWN))

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReadConversation:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, conversation_id: str) -> ConversationView:
        """Raises ConversationNotFound."""

        def work(tx: Transaction) -> ConversationView:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            return view(tx, tx.conversations.get(conversation_id))

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReadMessages:
    db: Database

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        conversation_id: str,
        limit: int,
        before: int | None,
        after: int | None,
    ) -> list[Message]:
        """One page, oldest first."""

        def work(tx: Transaction) -> list[Message]:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            conversation = tx.conversations.get(conversation_id)
            return tx.messages.page(conversation.id, limit=limit, before=before, after=after)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class StartConversation:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self, *, actor: Agent, shop_id: str, customer_name: str, channel: Channel, once: str | None = None
    ) -> ConversationView:
        """Open a thread by hand, as after a phone call. The same `once` opens it once.

        Raises Invalid, or KeyReused when `once` opened another one.
        """
        caller = actor.user_id if isinstance(actor, UserActor) else actor.shop_id
        conversation_id = named_id("conversation", shop_id, caller, once) if once else self.ids.new()

        def work(tx: Transaction) -> ConversationView:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            conversation = Conversation.open(
                id=conversation_id, channel=channel, customer_name=customer_name, now=self.clock.now()
            )
            if (known := tx.conversations.find(conversation_id)) is not None:
                return _started_before(tx, known, conversation)
            tx.conversations.add(conversation)
            return ConversationView(conversation, [])

        try:
            return await self.db.transact(work, shop=shop_id)
        except DoneBefore:
            return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeConversation:
    db: Database
    clock: Clock

    async def __call__(
        self, *, actor: Agent, shop_id: str, conversation_id: str, changes: ConversationChanges
    ) -> ConversationView:
        """Raises ConversationNotFound or Invalid."""

        def work(tx: Transaction) -> ConversationView:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            _check_assignee(tx, changes.get("assignee_id"))
            conversation = tx.conversations.get(conversation_id, lock=True)
            conversation.change(changes, self.clock.now())
            tx.conversations.save(conversation)
            return view(tx, conversation)

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class PostFromInbox:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self, *, actor: Agent, shop_id: str, conversation_id: str, sender: Sender, draft: Draft
    ) -> ConversationView:
        """Store a message written in the inbox; an agent's own silences the assistant.

        A client id that was stored before changes nothing. Raises ConversationNotFound, Invalid, or KeyReused
        when that message says something else.
        """

        def work(tx: Transaction) -> ConversationView:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            conversation = tx.conversations.get(conversation_id, lock=True)
            self.put(tx, conversation, actor, sender, draft)
            return view(tx, conversation)

        try:
            return await self.db.transact(work, shop=shop_id)
        except AlreadyPosted:
            return await self.db.read(self._first(conversation_id, sender, draft), shop=shop_id)

    def _first(
        self, conversation_id: str, sender: Sender, draft: Draft
    ) -> Callable[[Transaction], ConversationView]:
        def find(tx: Transaction) -> ConversationView:
            message = tx.messages.by_client_id(conversation_id, sender, draft.client_id or "")
            if message is None:
                raise AlreadyPosted
            checked, _ = attaching.agents(tx, draft, conversation_id)
            if not same_content(message, checked):
                raise KeyReused
            return view(tx, tx.conversations.get(conversation_id))

        return find

    def put(
        self,
        tx: Transaction,
        conversation: Conversation,
        actor: Agent,
        sender: Sender,
        draft: Draft,
        *,
        id: str | None = None,
    ) -> None:
        """The same within a transaction that has locked the conversation. Raises Invalid."""
        if draft.is_note and sender is not Sender.AGENT:
            raise Invalid(field="is_note", rule="is for messages of the shop's people only")
        sender_id, sender_name = _signature(tx, conversation, actor, sender)
        now = self.clock.now()
        checked, files = attaching.agents(tx, draft, conversation.id)
        message = conversation.post(
            checked,
            id=id or self.ids.new(),
            sender=sender,
            sender_id=sender_id,
            sender_name=sender_name,
            now=now,
        )
        tx.messages.add(message)
        attaching.keep(tx, message, files)
        if sender is Sender.CUSTOMER:
            react(tx, conversation, message, now=now, ids=self.ids)
        tx.conversations.save(conversation)


@dataclass(frozen=True, slots=True)
class DeleteConversation:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, conversation_id: str) -> None:
        """Raises ConversationNotFound."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            conversation = tx.conversations.get(conversation_id, lock=True)
            tx.conversations.delete(conversation)
            tx.record(
                ConversationDeleted(conversation_id=conversation.id, visitor_id=conversation.visitor_id)
            )

        await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, conversation_id: str, message_id: str) -> None:
        """Its sequence number is not given out again. Raises ConversationNotFound or MessageNotFound."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            conversation = tx.conversations.get(conversation_id, lock=True)
            if not tx.messages.delete(conversation_id, message_id):
                raise MessageNotFound
            # Whoever keeps what it looked like goes by its version.
            tx.conversations.save(conversation)
            tx.record(
                MessageDeleted(
                    conversation_id=conversation_id, visitor_id=conversation.visitor_id, message_id=message_id
                )
            )

        await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class MarkReadByAgent:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, conversation_id: str, sequence: int) -> None:
        """The shop's people have seen everything up to `sequence`."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.VIEW_INBOX)
            conversation = tx.conversations.get(conversation_id, lock=True)
            if conversation.read_by(Sender.AGENT, sequence):
                tx.conversations.save(conversation)

        await self.db.transact(work, shop=shop_id)


def _check_assignee(tx: Transaction, user_id: str | None) -> None:
    """Raises Invalid unless it is nobody, somebody of the team, or the owner, who may not be listed in it."""
    if user_id is None or tx.members.get(user_id) is not None or tx.shops.get().owner_id == user_id:
        return
    raise Invalid(field="assignee_id", rule="must be the shop's owner or somebody of its team")


def _started_before(tx: Transaction, known: Conversation, wanted: Conversation) -> ConversationView:
    if (known.customer_name, known.channel) != (wanted.customer_name, wanted.channel):
        raise KeyReused
    return view(tx, known)


def _signature(
    tx: Transaction, conversation: Conversation, actor: Agent, sender: Sender
) -> tuple[str | None, str | None]:
    """Whose name a message carries: an agent's own whatever was sent, else the customer's or assistant's."""
    match sender:
        case Sender.CUSTOMER:
            return conversation.visitor_id, conversation.customer_name
        case Sender.ASSISTANT:
            return None, None
        case Sender.AGENT:
            if not isinstance(actor, UserActor):
                return None, tx.shops.get().name
            return actor.user_id, tx.users.get(actor.user_id).username
