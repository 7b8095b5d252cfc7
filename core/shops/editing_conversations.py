"""Edits a shop's conversations as its owner's screens do: messages are added, and never lost."""

from dataclasses import dataclass
from datetime import datetime

from core.conversations.events import ConversationDeleted
from core.conversations.inbox import PostFromInbox
from core.conversations.model import Conversation
from core.kernel import Agent, within
from core.shops.edits import ConversationEdit, ConversationEdits, NewConversation, RemovedConversation
from ports.clock import Ids
from ports.db import Transaction


@dataclass(frozen=True, slots=True)
class ConversationsEditor:
    """Applies edits to the conversations of the transaction's shop, for one caller."""

    tx: Transaction
    actor: Agent
    inbox: PostFromInbox
    ids: Ids

    def apply(self, edits: ConversationEdits, now: datetime) -> None:
        for id, new in edits.added.items():
            with within(id):
                self._open(id, new, now)
        for id, edit in edits.changed.items():
            if self.tx.conversations.find(id) is not None:
                with within(id):
                    self._edit(self.tx.conversations.get(id, lock=True), edit, now)
        for removed in edits.removed:
            self._remove(removed)

    def _open(self, id: str, new: NewConversation, now: datetime) -> None:
        conversation = Conversation.open(id=id, channel=new.channel, customer_name=new.customer_name, now=now)
        self.tx.conversations.add(conversation)
        self._edit(conversation, new.edit, now)

    def _edit(self, conversation: Conversation, edit: ConversationEdit, now: datetime) -> None:
        """What was said first, then the fields: an agent's own message is a reason for the assistant to be
        silent, and the page has said whether it is."""
        for said in edit.messages:
            self.inbox.put(
                self.tx, conversation, self.actor, said.sender, said.draft, id=self._message_id(said.id)
            )
        if edit.changes:
            changes = edit.changes.copy()
            assignee = changes.get("assignee_id")
            if assignee is not None and self.tx.members.get(assignee) is None:
                del changes["assignee_id"]  # who has left the team since
            conversation.change(changes, now)
            self.tx.conversations.save(conversation)

    def _message_id(self, id: str) -> str:
        return id if self.tx.messages.is_free(id) else self.ids.new()

    def _remove(self, removed: RemovedConversation) -> None:
        """Unless somebody has written since the client saw it."""
        if self.tx.conversations.find(removed.id) is None:
            return
        conversation = self.tx.conversations.get(removed.id, lock=True)
        if conversation.last_sequence > removed.messages:
            return
        self.tx.conversations.delete(conversation)
        self.tx.record(
            ConversationDeleted(conversation_id=conversation.id, visitor_id=conversation.visitor_id)
        )
