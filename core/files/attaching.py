"""Which files a message may carry: those that were uploaded to its own conversation, and small pictures."""

from dataclasses import replace

from core.conversations.messages import Attachment, Draft, Message
from core.files.model import File, FileState
from core.kernel import Invalid
from ports.db import Transaction

CUSTOMERS_INLINE_LIMIT = 64 * 1024
"""Characters of all `data:` URLs of a message from somebody whom nobody knows. They are read when the chat
is, with hundreds of messages: what is bigger is uploaded."""

_REFUSED = "must be files that were uploaded to this conversation, or small pictures as data: URLs"


def customers(tx: Transaction, draft: Draft, conversation_id: str | None) -> tuple[Draft, list[File]]:
    """The draft with what is known of its files instead of what was said of them, and these files.

    Raises Invalid for big `data:` URLs, and for any address that was not given out for this conversation. A
    visitor whose first message this is has no conversation yet, and so no files.
    """
    if sum(len(one.url) for one in draft.attachments if one.is_inline) > CUSTOMERS_INLINE_LIMIT:
        rule = f"may hold {CUSTOMERS_INLINE_LIMIT} characters of data: URLs; upload what is bigger"
        raise Invalid(field="attachments", rule=rule)
    return _checked(tx, draft, conversation_id, takes_others=False)


def agents(tx: Transaction, draft: Draft, conversation_id: str) -> tuple[Draft, list[File]]:
    """The same for the shop's people. They may point to other pages, but not to other conversations' files.

    Raises Invalid.
    """
    return _checked(tx, draft, conversation_id, takes_others=True)


def keep(tx: Transaction, message: Message, files: list[File]) -> None:
    """The message, which is stored already, carries these files."""
    for file in files:
        file.use(message.created_at)
        tx.files.save(file)
    if files:
        tx.files.attach(message.id, files)


def _checked(
    tx: Transaction, draft: Draft, conversation_id: str | None, *, takes_others: bool
) -> tuple[Draft, list[File]]:
    if all(attachment.is_inline for attachment in draft.attachments):
        return draft, []
    files: dict[str, File] = {}
    attachments: list[Attachment] = []
    for attachment in draft.attachments:
        file = None if attachment.is_inline else tx.files.by_url(attachment.url)
        if file is None:
            _check_other(attachment, takes_others=takes_others)
            attachments.append(attachment)
            continue
        if file.conversation_id != conversation_id or file.state is not FileState.STORED:
            raise Invalid(field="attachments", rule=_REFUSED)
        files[file.id] = file
        attachments.append(file.attachment)
    return replace(draft, attachments=tuple(attachments)), list(files.values())


def _check_other(attachment: Attachment, *, takes_others: bool) -> None:
    if not (attachment.is_inline or takes_others):
        raise Invalid(field="attachments", rule=_REFUSED)
