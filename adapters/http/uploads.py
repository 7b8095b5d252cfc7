"""Files into conversations, by visitors and by the shop's people: announce, send, complete."""

from collections.abc import AsyncIterator

from quart import Blueprint

from adapters.http.access import Access, Who, agent
from adapters.http.call import Call
from adapters.http.codec import Incoming, endpoint
from adapters.http.errors import MissingTenant
from adapters.http.reception import Reception
from adapters.wire.base import Data, data
from adapters.wire.uploads import (
    BegunAnswer,
    BegunOut,
    CompleteIn,
    ReceivedAnswer,
    StoredAnswer,
    StoredOut,
    UploadIn,
    begun_out,
    received_out,
    stored_out,
)
from adapters.wire.webchat import TokenIn
from core.application import FileUseCases
from core.conversations.errors import ConversationNotFound
from core.files.errors import (
    FileTooLarge,
    FileTypeRefused,
    TooManyUploads,
    UploadExpired,
    UploadIncomplete,
    UploadNotFound,
    UploadUsed,
)
from core.identity.errors import BadToken
from core.kernel import Agent
from core.shops.errors import ShopNotFound, UnknownShopKey
from core.shops.policy import Permission
from ports.files import Place
from ports.storage import StorageDown

PUTS = "/api/gw/v1/webchat/uploads"

BY_CONVERSATION = Access(
    who=Who.PAGE, per_address="uploads_per_address", per_conversation="uploads_per_conversation"
)
BY_SECRET = Access(who=Who.ANYONE, per_address="uploads_per_address")
INBOX = agent(Permission.VIEW_INBOX)

NOTHING_TOLD = TokenIn()
"""An uploader sends no fields of its page's, only headers."""

NO_CONVERSATION = (ConversationNotFound, UnknownShopKey, BadToken)
NO_BEGINNING = (FileTooLarge, FileTypeRefused)
NO_END = (UploadNotFound, UploadIncomplete, UploadUsed)


def blueprint(files: FileUseCases, reception: Reception, *, base_url: str) -> Blueprint:
    routes = Blueprint("uploads", __name__)
    of_conversation = "/api/gw/v1/webchat/conversations/<id:conversation_id>/upload"
    of_agent = "/api/shops/<id:shop_id>/conversations/<id:conversation_id>/uploads"
    puts_url = base_url + PUTS

    @routes.post(f"{of_conversation}/init")
    @endpoint(
        access=BY_CONVERSATION,
        body=UploadIn,
        returns=BegunAnswer,
        raises=(*NO_CONVERSATION, *NO_BEGINNING, TooManyUploads),
        keeps_nul=True,
    )
    async def begin(call: Call, conversation_id: str, body: UploadIn) -> BegunAnswer:
        """Announce a file for a conversation.

        The conversation's id is what lets one in; a key or token that is sent along has to belong to it.
        """
        place = await _place(call, conversation_id)
        begun = await files.begin.by_customer(place=place, announced=body.announced)
        return BegunAnswer(success=True, message="Upload begun", data=begun_out(begun, puts_url))

    @routes.put(f"{PUTS}/<id:secret>")
    @endpoint(
        access=BY_SECRET,
        body=Incoming,
        returns=ReceivedAnswer,
        raises=(UploadNotFound, UploadExpired, UploadUsed, FileTypeRefused, StorageDown),
    )
    async def receive(call: Call, secret: str, body: AsyncIterator[bytes]) -> ReceivedAnswer:
        """Send an announced file's bytes, whatever type they are said to be.

        The address is the permission, for one file of the announced size and kind. Broken off, it may be sent
        again.
        """
        file = await files.receive(secret=secret, length=call.declared_length, content=body)
        return ReceivedAnswer(success=True, message="File received", data=received_out(file))

    @routes.post(f"{of_conversation}/complete")
    @endpoint(
        access=BY_CONVERSATION,
        body=CompleteIn,
        returns=StoredAnswer,
        raises=(*NO_CONVERSATION, *NO_END),
    )
    async def complete(call: Call, conversation_id: str, body: CompleteIn) -> StoredAnswer:
        """Complete a file that was sent. A message carries it by the address that comes back."""
        place = await _place(call, conversation_id)
        file = await files.complete.by_customer(place=place, number=body.file_id, token=body.upload_token)
        return StoredAnswer(success=True, message="File stored", data=stored_out(file))

    @routes.post(of_agent)
    @endpoint(
        access=INBOX,
        body=UploadIn,
        returns=Data[BegunOut],
        status=201,
        raises=(ShopNotFound, ConversationNotFound, *NO_BEGINNING),
        keeps_nul=True,
    )
    async def begin_as_agent(
        actor: Agent, shop_id: str, conversation_id: str, body: UploadIn
    ) -> Data[BegunOut]:
        """Announce a file that an agent is going to send to a customer."""
        begun = await files.begin.by_agent(
            actor=actor, shop_id=shop_id, conversation_id=conversation_id, announced=body.announced
        )
        return data(begun_out(begun, puts_url))

    @routes.post(f"{of_agent}/complete")
    @endpoint(
        access=INBOX,
        body=CompleteIn,
        returns=Data[StoredOut],
        raises=(ShopNotFound, *NO_END),
    )
    async def complete_as_agent(
        actor: Agent, shop_id: str, conversation_id: str, body: CompleteIn
    ) -> Data[StoredOut]:
        """Complete a file that was sent. A message carries it by the address that comes back."""
        file = await files.complete.by_agent(
            actor=actor,
            shop_id=shop_id,
            conversation_id=conversation_id,
            number=body.file_id,
            token=body.upload_token,
        )
        return data(stored_out(file))

    async def _place(call: Call, conversation_id: str) -> Place:
        """Raises BadToken, UnknownShopKey, or ConversationNotFound for what belongs elsewhere."""
        place = await files.locate(conversation_id)
        try:
            visit = await reception.receive(call, NOTHING_TOLD)
        except MissingTenant:
            return place
        is_other = visit.token is not None and visit.token.visitor_id != place.visitor_id
        if is_other or visit.shop.id != place.shop_id:
            raise ConversationNotFound
        return place

    return routes
