from core.kernel import DomainError, Kind


class ConversationNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "conversation_not_found"
    says = "Conversation not found"


class MessageNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "message_not_found"
    says = "Message not found"


class SessionNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "session_not_found"
    says = "Session not found"


class AlreadyPosted(DomainError):
    """The conversation holds a message with this client id. Callers answer with that message."""

    kind = Kind.CONFLICT
    code = "already_posted"
    says = "A message with this client id was stored before"


class AlreadyOpen(DomainError):
    """Two first messages of one visitor met; the second one finds the conversation when it is tried again."""

    kind = Kind.CONFLICT
    code = "already_open"
    says = "This visitor has a conversation already"


class StreamGone(DomainError):
    """The position is older than what is kept, or was never given out: the client has to load anew."""

    kind = Kind.CONFLICT
    code = "reload"
    says = "This position can't be resumed from; load the conversations again"
