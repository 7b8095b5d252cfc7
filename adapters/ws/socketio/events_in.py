"""What the widget and its SDK send. docs/protocol/socketio.md is the same for readers."""

from typing import Annotated

from msgspec import Meta, Struct

from adapters.wire.base import Id
from adapters.wire.webchat import FileIn, FilesIn, Name
from core.conversations.messages import Draft, cleaned

CLIENT_ID_LIMIT = 128


class ConnectIn(Struct):
    """The handshake's `auth`; other members are passed over."""

    token: Annotated[str, Meta(max_length=4_096)] | None = None


class MessageIn(Struct, kw_only=True):
    """Only what is said counts. The sender, tenant, session and conversation come from the token, whatever
    the other fields of the payload claim."""

    text: str | None = ""
    temp_id: Annotated[str, Meta(max_length=CLIENT_ID_LIMIT)] | None = None
    attachments: FilesIn | list[FileIn] | None = None
    sender_name: Name = None

    def draft(self) -> Draft:
        """Raises Invalid."""
        sent = self.attachments.items if isinstance(self.attachments, FilesIn) else self.attachments or ()
        files = tuple(attachment.attachment() for attachment in sent)
        return Draft(text=self.text or "", attachments=files, client_id=self.temp_id or None)

    @property
    def name(self) -> str | None:
        return " ".join(cleaned(self.sender_name or "").split()) or None


class OnlineUsersIn(Struct):
    """The shop is the token's, whatever `tenantId` says."""


SessionId = Id
ConversationId = Id
