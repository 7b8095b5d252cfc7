"""Files on the wire: announced, sent, completed. Both dialects speak the same objects."""

from typing import Annotated, Literal

from msgspec import Meta

from adapters.wire.base import Counted, In, Out
from core.files.model import Announced, File
from core.files.uploading import Begun

Label = Annotated[str, Meta(max_length=1_000)]
Token = Annotated[str, Meta(max_length=128)]


class UploadIn(In):
    """`size` in bytes."""

    original_name: Label
    mime_type: Label
    size: int

    @property
    def announced(self) -> Announced:
        return Announced(name=self.original_name, media=self.mime_type, size=self.size)


class CompleteIn(In):
    file_id: Counted
    upload_token: Token


class BegunOut(Out):
    """The bytes go to `uploadUrl` by PUT, in `expiresIn` seconds; then `uploadToken` completes the file."""

    upload_url: str
    file_id: int
    upload_token: str
    expires_in: int
    file_name: str
    content_type: str


class ReceivedOut(Out):
    size: int
    content_type: str


class StoredOut(Out):
    """A message carries the file by its `publicUrl`."""

    public_url: str
    filename: str
    size: int
    content_type: str


class BegunAnswer(Out):
    success: Literal[True]
    message: str
    data: BegunOut


class ReceivedAnswer(Out):
    success: Literal[True]
    message: str
    data: ReceivedOut


class StoredAnswer(Out):
    success: Literal[True]
    message: str
    data: StoredOut


def begun_out(begun: Begun, puts_url: str) -> BegunOut:
    """`puts_url` is where files are sent to, without a slash at the end."""
    return BegunOut(
        upload_url=f"{puts_url}/{begun.put_secret}",
        file_id=begun.file.number,
        upload_token=begun.token,
        expires_in=begun.seconds,
        file_name=begun.file.name,
        content_type=begun.file.media,
    )


def received_out(file: File) -> ReceivedOut:
    return ReceivedOut(size=file.size, content_type=file.media)


def stored_out(file: File) -> StoredOut:
    return StoredOut(public_url=file.url, filename=file.name, size=file.size, content_type=file.media)
