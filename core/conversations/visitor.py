"""The visitor's side: sessions, posting, reading, read marks, typing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.conversations.errors import AlreadyOpen, AlreadyPosted, ConversationNotFound, SessionNotFound
from core.conversations.events import Typing
from core.conversations.messages import Draft, Message, Sender, same_content
from core.conversations.model import Channel, Conversation, VisitorSession
from core.conversations.reacting import react
from core.files import attaching
from core.kernel import Invalid, KeyReused, VisitorActor
from ports.clock import Clock, Ids
from ports.db import Database, Transaction

PAGE_LIMIT = 200
THREAD_LIMIT = 500
"""Messages that a page without pages gets to see: the last ones."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored message. `is_repeat` when this client id had been stored before."""

    message: Message
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """A page of messages, oldest first. `has_more` in the direction in which it was asked."""

    conversation: Conversation | None
    messages: list[Message]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class OpenedSession:
    session: VisitorSession
    conversation: Conversation | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(self, *, visitor: VisitorActor, label: str | None = None) -> OpenedSession:
        """The visitor's session, the same one at every call, and the conversation if there is one."""
        session = VisitorSession(
            id=self.ids.new(), visitor_id=visitor.visitor_id, created_at=self.clock.now(), label=label
        )

        def work(tx: Transaction) -> OpenedSession:
            known = tx.visitors.latest_session(visitor.visitor_id)
            if known is None:
                tx.visitors.add_session(session)
            return OpenedSession(known or session, tx.conversations.of_visitor(visitor.visitor_id))

        return await self.db.transact(work, shop=visitor.shop_id)


@dataclass(frozen=True, slots=True)
class PostCustomerMessage:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self,
        *,
        visitor: VisitorActor,
        draft: Draft,
        sender_name: str | None = None,
        session_id: str | None = None,
    ) -> Posted:
        """Store what a visitor says, in a conversation that begins with the first message.

        A client id that was stored before answers with the first message. Raises Invalid, SessionNotFound, or
        KeyReused when that one says something else.
        """
        if draft.is_note:
            raise Invalid(field="is_note", rule="is for messages of the shop's people only")
        if visitor.session_id is not None:
            draft = replace(draft, scope=visitor.session_id)

        def work(tx: Transaction) -> Posted:
            if session_id is not None:
                _check_session(tx, visitor, session_id)
            conversation = tx.conversations.of_visitor(visitor.visitor_id, lock=True)
            checked, files = attaching.customers(tx, draft, conversation.id if conversation else None)
            if conversation is None:
                conversation = self._open(tx, visitor, sender_name)
            message = self._post(tx, conversation, visitor, checked, sender_name)
            attaching.keep(tx, message, files)
            return Posted(message)

        try:
            try:
                return await self.db.transact(work, shop=visitor.shop_id)
            except AlreadyOpen:
                return await self.db.transact(work, shop=visitor.shop_id)
        except AlreadyPosted:
            return await self.db.read(self._first(visitor, draft), shop=visitor.shop_id)

    def _open(self, tx: Transaction, visitor: VisitorActor, sender_name: str | None) -> Conversation:
        conversation = Conversation.open(
            id=self.ids.new(),
            channel=Channel.WEB,
            customer_name=sender_name or f"Visitor {visitor.visitor_id[-4:].upper()}",
            visitor_id=visitor.visitor_id,
            now=self.clock.now(),
        )
        conversation.notify_agents(title="New conversation", message=conversation.customer_name)
        tx.conversations.add(conversation)
        return conversation

    def _post(
        self,
        tx: Transaction,
        conversation: Conversation,
        visitor: VisitorActor,
        draft: Draft,
        name: str | None,
    ) -> Message:
        now = self.clock.now()
        message = conversation.post(
            draft,
            id=self.ids.new(),
            sender=Sender.CUSTOMER,
            sender_id=visitor.visitor_id,
            sender_name=name or conversation.customer_name,
            now=now,
        )
        tx.messages.add(message)
        react(tx, conversation, message, now=now, ids=self.ids)
        tx.conversations.save(conversation)
        return message

    def _first(self, visitor: VisitorActor, draft: Draft) -> Callable[[Transaction], Posted]:
        def find(tx: Transaction) -> Posted:
            conversation = tx.conversations.of_visitor(visitor.visitor_id)
            message = conversation and tx.messages.by_client_id(
                conversation.id, Sender.CUSTOMER, draft.key or ""
            )
            if not message:
                raise AlreadyPosted
            checked, _ = attaching.customers(tx, draft, message.conversation_id)
            if not same_content(message, checked):
                raise KeyReused
            return Posted(message, is_repeat=True)

        return find


@dataclass(frozen=True, slots=True)
class ReadHistory:
    db: Database

    async def __call__(
        self,
        *,
        visitor: VisitorActor,
        after: int | None = None,
        before: int | None = None,
        limit: int = PAGE_LIMIT,
        session_id: str | None = None,
    ) -> History:
        """What was said, without the shop's own notes. With `after` the next messages, else the last ones."""
        limit = max(1, min(limit, PAGE_LIMIT))

        def work(tx: Transaction) -> History:
            if session_id is not None:
                _check_session(tx, visitor, session_id)
            conversation = tx.conversations.of_visitor(visitor.visitor_id)
            if conversation is None:
                return History(None, [])
            messages = tx.messages.page(
                conversation.id, after=after, before=before, limit=limit + 1, with_notes=False
            )
            kept = messages[:limit] if after is not None else messages[-limit:]
            return History(conversation, kept, has_more=len(messages) > limit)

        return await self.db.read(work, shop=visitor.shop_id)


@dataclass(frozen=True, slots=True)
class ReadThread:
    """The chat as a page shows it that reads everything at once."""

    db: Database

    async def of_visitor(self, visitor: VisitorActor) -> History:
        """Empty before the first message."""
        return await self._read(visitor.shop_id, lambda tx: tx.conversations.of_visitor(visitor.visitor_id))

    async def by_id(
        self, shop_id: str, conversation_id: str, *, visitor: VisitorActor | None = None
    ) -> History:
        """A chat's id is known to its visitor alone, and enough to read it by; a known `visitor` has to be
        the one. Raises ConversationNotFound, also for what is no chat on a shop's pages."""

        def find(tx: Transaction) -> Conversation:
            found = tx.conversations.find(conversation_id)
            if found is None or found.channel is not Channel.WEB or found.visitor_id is None:
                raise ConversationNotFound
            if visitor is not None and found.visitor_id != visitor.visitor_id:
                raise ConversationNotFound
            return found

        return await self._read(shop_id, find)

    async def _read(self, shop_id: str, find: Callable[[Transaction], Conversation | None]) -> History:
        def work(tx: Transaction) -> History:
            conversation = find(tx)
            if conversation is None:
                return History(None, [])
            limit = THREAD_LIMIT + 1
            messages = tx.messages.page(conversation.id, limit=limit, with_notes=False)
            return History(conversation, messages[-THREAD_LIMIT:], has_more=len(messages) == limit)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class MarkReadByCustomer:
    db: Database

    async def __call__(self, *, visitor: VisitorActor, sequence: int) -> None:
        """The visitor has seen everything up to `sequence`. Marks only move forward."""

        def work(tx: Transaction) -> None:
            conversation = tx.conversations.of_visitor(visitor.visitor_id, lock=True)
            if conversation is not None and conversation.read_by(Sender.CUSTOMER, sequence):
                tx.conversations.save(conversation)

        await self.db.transact(work, shop=visitor.shop_id)


@dataclass(frozen=True, slots=True)
class CustomerTypes:
    db: Database

    async def __call__(self, *, visitor: VisitorActor, is_typing: bool) -> Typing | None:
        """What to tell the agents, if there is a conversation."""
        conversation = await self.db.read(
            lambda tx: tx.conversations.of_visitor(visitor.visitor_id), shop=visitor.shop_id
        )
        if conversation is None:
            return None
        return Typing(
            conversation_id=conversation.id,
            visitor_id=visitor.visitor_id,
            sender=Sender.CUSTOMER.value,
            sender_id=visitor.visitor_id,
            is_typing=is_typing,
        )


def _check_session(tx: Transaction, visitor: VisitorActor, session_id: str) -> None:
    session = tx.visitors.find_session(session_id)
    if session is None or session.visitor_id != visitor.visitor_id:
        raise SessionNotFound
