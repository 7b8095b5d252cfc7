"""Messages as the assistant gets them."""

from core.conversations.messages import Attachment, AttachmentKind, Message, Sender
from tests.providers.conftest import START

PICTURE = Attachment(kind=AttachmentKind.IMAGE, url="https://shop.test/lantern.png")


def said(text, sender=Sender.CUSTOMER, attachments=(), sequence=1):
    return Message(
        id=f"message-{sequence}",
        conversation_id="conversation",
        sequence=sequence,
        sender=sender,
        sender_id="someone",
        sender_name="Somebody",
        text=text,
        attachments=attachments,
        created_at=START,
    )
