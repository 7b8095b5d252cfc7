"""Files that somebody sends along in a conversation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.conversations.messages import Attachment, AttachmentKind
from core.files.errors import (
    FileTooLarge,
    UploadExpired,
    UploadIncomplete,
    UploadNotFound,
    UploadUsed,
)
from core.files.names import address_name, cleaned_name
from core.files.types import TYPES, FileType, declared_type
from core.kernel import Invalid

EXPIRES_AFTER = timedelta(minutes=15)
"""How long after it was begun an upload may start to send its bytes."""

KEPT_UNUSED = timedelta(hours=24)
"""How long files are kept that no message carries."""

ATTEMPTS_LIMIT = 5
"""How often the bytes may be sent again after a connection broke."""

WAITING_LIMIT = 10
"""How many files of one conversation may wait for their message when a visitor adds one: as many as a message
can carry."""

_KINDS = {
    "image": AttachmentKind.IMAGE,
    "video": AttachmentKind.VIDEO,
    "audio": AttachmentKind.AUDIO,
}


class FileState(StrEnum):
    PENDING = "pending"
    """Announced: its bytes may be sent."""
    RECEIVED = "received"
    """Its bytes are there; the uploader has not said so."""
    STORED = "stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What an uploader says of a file before it is sent. `size` in bytes."""

    name: str
    media: str
    size: int

    def kind(self, limit: int) -> FileType:
        """Raises Invalid, FileTooLarge or FileTypeRefused."""
        if self.size < 1:
            raise Invalid(field="size", rule="must be at least 1 byte")
        if self.size > limit:
            raise FileTooLarge(limit=limit)
        return declared_type(self.media)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What gives access to one file, all of it random.

    `number` is what the uploader calls it by. `put_digest` and `token_digest` are what is kept of the secrets
    with which its bytes are sent, and which completes it. `public` is the part of its address that nobody can
    guess.
    """

    number: int
    public: str
    put_digest: str
    token_digest: str


@dataclass(slots=True, eq=False, kw_only=True)
class File:
    """A file of a conversation. `name` is a label of the uploader's; `media` was compared with the bytes."""

    id: str
    shop_id: str
    conversation_id: str
    number: int
    key: str
    url: str
    name: str
    media: str
    size: int
    put_digest: str
    token_digest: str
    created_at: datetime
    expires_at: datetime
    touched_at: datetime
    state: FileState = FileState.PENDING
    attempts: int = 0
    object_key: str | None = None
    sha256: str | None = None
    is_used: bool = False
    """Whether a message carries it, or did: then it is shown for as long as one does."""
    version: int = 0

    @classmethod
    def announce(
        cls,
        announced: Announced,
        *,
        id: str,
        shop_id: str,
        conversation_id: str,
        keys: Keys,
        files_url: str,
        limit: int,
        now: datetime,
    ) -> Self:
        """Raises Invalid, FileTooLarge or FileTypeRefused."""
        kind = announced.kind(limit)
        name = cleaned_name(announced.name, kind)
        return cls(
            id=id,
            shop_id=shop_id,
            conversation_id=conversation_id,
            number=keys.number,
            key=keys.public,
            url=f"{files_url}/{keys.public}/{address_name(name, kind)}",
            name=name,
            media=kind.media,
            size=announced.size,
            put_digest=keys.put_digest,
            token_digest=keys.token_digest,
            created_at=now,
            expires_at=now + EXPIRES_AFTER,
            touched_at=now,
        )

    @property
    def kind(self) -> FileType:
        return TYPES[self.media]

    @property
    def path_name(self) -> str:
        """The last part of its address."""
        return self.url.rpartition("/")[2]

    def begin_attempt(self, now: datetime) -> None:
        """Its bytes are about to come. Raises UploadUsed or UploadExpired."""
        if self.state is not FileState.PENDING:
            raise UploadUsed
        if now >= self.expires_at or self.attempts >= ATTEMPTS_LIMIT:
            raise UploadExpired
        self.attempts += 1

    def refuse(self, now: datetime) -> None:
        """Its bytes are of another kind, and sending them again would not help."""
        if self.state is FileState.PENDING:
            self.expires_at = min(self.expires_at, now)

    def receive(self, *, object_key: str, sha256: str, now: datetime) -> None:
        """Its bytes are stored. Raises UploadUsed when other ones were faster."""
        if self.state is not FileState.PENDING:
            raise UploadUsed
        self.state = FileState.RECEIVED
        self.object_key, self.sha256, self.touched_at = object_key, sha256, now

    def complete(self, *, token_digest: str, now: datetime) -> None:
        """Raises UploadNotFound, UploadIncomplete or UploadUsed."""
        if token_digest != self.token_digest:
            raise UploadNotFound
        match self.state:
            case FileState.PENDING:
                raise UploadIncomplete
            case FileState.STORED:
                raise UploadUsed
        self.state, self.touched_at = FileState.STORED, now

    def use(self, now: datetime) -> None:
        """A message carries it."""
        self.is_used, self.touched_at = True, now

    @property
    def attachment(self) -> Attachment:
        """As a message carries it: what is known of it, not what somebody says."""
        return Attachment(
            kind=_KINDS.get(self.media.partition("/")[0], AttachmentKind.DOCUMENT),
            url=self.url,
            name=self.name,
            content_type=self.media,
            size=self.size,
        )
