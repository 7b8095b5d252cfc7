"""Live chat for the shop's people."""

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.conversations import (
    ConversationIn,
    ConversationOut,
    ConversationPart,
    MessageIn,
    MessageOut,
    PageQuery,
    conversation_out,
    message_out,
)
from core.application import InboxUseCases
from core.conversations.errors import ConversationNotFound, MessageNotFound
from core.kernel import Agent, KeyReused
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission

INBOX = agent(Permission.VIEW_INBOX)
NO_SHOP = (ShopNotFound,)
NO_CONVERSATION = (ShopNotFound, ConversationNotFound)


def blueprint(inbox: InboxUseCases) -> Blueprint:
    routes = Blueprint("conversations", __name__, url_prefix="/api/shops/<id:shop_id>/conversations")

    @routes.get("")
    @endpoint(access=INBOX, returns=DataList[ConversationOut], raises=NO_SHOP)
    async def list_conversations(actor: Agent, shop_id: str) -> DataList[ConversationOut]:
        """List the conversations with their last messages, the newest first."""
        views = await inbox.list(actor=actor, shop_id=shop_id)
        return data_list([conversation_out(view) for view in views])

    @routes.post("")
    @endpoint(
        access=INBOX,
        body=ConversationIn,
        returns=Data[ConversationOut],
        status=201,
        raises=(*NO_SHOP, KeyReused),
        keeps_nul=True,
    )
    async def start(
        actor: Agent, shop_id: str, body: ConversationIn, once: str | None
    ) -> Data[ConversationOut]:
        """Open a conversation by hand, as after a phone call."""
        view = await inbox.start(
            actor=actor,
            shop_id=shop_id,
            customer_name=body.customer_name,
            channel=body.where(),
            once=once,
        )
        return data(conversation_out(view))

    @routes.get("/<id:conversation_id>")
    @endpoint(access=INBOX, returns=Data[ConversationOut], raises=NO_CONVERSATION)
    async def read(actor: Agent, shop_id: str, conversation_id: str) -> Data[ConversationOut]:
        """Read a conversation with its last messages."""
        view = await inbox.read(actor=actor, shop_id=shop_id, conversation_id=conversation_id)
        return data(conversation_out(view))

    @routes.put("/<id:conversation_id>")
    @endpoint(access=INBOX, body=ConversationPart, returns=Data[ConversationOut], raises=NO_CONVERSATION)
    async def change(
        actor: Agent, shop_id: str, conversation_id: str, body: ConversationPart
    ) -> Data[ConversationOut]:
        """Change any part of a conversation, such as its status, assignee or tags."""
        view = await inbox.change(
            actor=actor, shop_id=shop_id, conversation_id=conversation_id, changes=body.changes()
        )
        return data(conversation_out(view))

    @routes.delete("/<id:conversation_id>")
    @endpoint(access=INBOX, returns=Data[Deleted], raises=NO_CONVERSATION)
    async def delete(actor: Agent, shop_id: str, conversation_id: str) -> Data[Deleted]:
        """Delete a conversation with all its messages."""
        await inbox.delete(actor=actor, shop_id=shop_id, conversation_id=conversation_id)
        return data(Deleted(id=conversation_id))

    @routes.get("/<id:conversation_id>/messages")
    @endpoint(access=INBOX, query=PageQuery, returns=DataList[MessageOut], raises=NO_CONVERSATION)
    async def read_messages(
        actor: Agent, shop_id: str, conversation_id: str, query: PageQuery
    ) -> DataList[MessageOut]:
        """Read one page of messages, the oldest first.

        The last ones, or those after or before a sequence number."""
        messages = await inbox.messages(
            actor=actor,
            shop_id=shop_id,
            conversation_id=conversation_id,
            limit=query.limit,
            before=query.before,
            after=query.start,
        )
        return data_list([message_out(message) for message in messages])

    @routes.post("/<id:conversation_id>/messages")
    @endpoint(
        access=INBOX,
        body=MessageIn,
        returns=Data[ConversationOut],
        status=201,
        raises=(*NO_CONVERSATION, KeyReused),
        keeps_nul=True,
    )
    async def post(
        actor: Agent, shop_id: str, conversation_id: str, body: MessageIn, once: str | None
    ) -> Data[ConversationOut]:
        """Post a message from the inbox. The whole conversation comes back, the new message last.

        An `id` (or an Idempotency-Key) makes repeating harmless: a message with the same one is stored once.
        """
        view = await inbox.post(
            actor=actor,
            shop_id=shop_id,
            conversation_id=conversation_id,
            sender=body.who(),
            draft=body.draft(once),
        )
        return data(conversation_out(view))

    @routes.delete("/<id:conversation_id>/messages/<id:message_id>")
    @endpoint(access=INBOX, returns=Data[Deleted], raises=(*NO_CONVERSATION, MessageNotFound))
    async def delete_message(
        actor: Agent, shop_id: str, conversation_id: str, message_id: str
    ) -> Data[Deleted]:
        """Delete a message."""
        await inbox.delete_message(
            actor=actor, shop_id=shop_id, conversation_id=conversation_id, message_id=message_id
        )
        return data(Deleted(id=message_id))

    return routes
