"""A file's way in: it is announced, its bytes come, and it is completed."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from core.conversations.errors import ConversationNotFound
from core.files.errors import FileTypeRefused, TooManyUploads, UploadNotFound
from core.files.model import EXPIRES_AFTER, WAITING_LIMIT, Announced, File, Keys
from core.files.types import check_content
from core.identity.model import digest
from core.kernel import Agent, Invalid
from core.shops.access import require
from core.shops.policy import Permission
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Database, Transaction
from ports.files import Place
from ports.filetypes import HEAD_BYTES, FileTypes
from ports.storage import Storage


@dataclass(frozen=True, slots=True)
class Begun:
    """An announced file, and the two secrets that only its uploader gets to see.

    Its bytes go to the address that holds `put_secret`; `token` completes it. `seconds` until that address
    takes nothing any more.
    """

    file: File
    put_secret: str
    token: str
    seconds: int = int(EXPIRES_AFTER.total_seconds())


@dataclass(frozen=True, slots=True)
class LocateConversation:
    """Whose conversation an id belongs to: visitors' uploads bring nothing else that would tell."""

    db: Database

    async def __call__(self, conversation_id: str) -> Place:
        """Raises ConversationNotFound."""
        place = await self.db.read(lambda tx: tx.files.place_of(conversation_id), shop=SYSTEM)
        if place is None:
            raise ConversationNotFound
        return place


@dataclass(frozen=True, slots=True)
class BeginUpload:
    """`files_url` is where files are served, without a slash at the end; `limit` in bytes."""

    db: Database
    clock: Clock
    ids: Ids
    files_url: str
    limit: int

    async def by_customer(self, *, place: Place, announced: Announced) -> Begun:
        """Whoever knows a conversation's id may add files to it.

        Raises Invalid, FileTooLarge, FileTypeRefused, TooManyUploads or ConversationNotFound.
        """
        return await self._begin(
            place.shop_id, place.conversation_id, announced, lambda tx: None, waiting_limit=WAITING_LIMIT
        )

    async def by_agent(
        self, *, actor: Agent, shop_id: str, conversation_id: str, announced: Announced
    ) -> Begun:
        """However many wait: visitors can't keep the shop's people from sending theirs.

        Raises Invalid, FileTooLarge, FileTypeRefused, ConversationNotFound, ShopNotFound or Forbidden.
        """
        return await self._begin(
            shop_id,
            conversation_id,
            announced,
            lambda tx: require(tx, actor, shop_id, Permission.VIEW_INBOX),
        )

    async def _begin(
        self,
        shop_id: str,
        conversation_id: str,
        announced: Announced,
        check: Callable[[Transaction], object],
        *,
        waiting_limit: int | None = None,
    ) -> Begun:
        public, put_secret, token = (self.ids.secret() for _ in range(3))
        now = self.clock.now()

        def work(tx: Transaction) -> Begun:
            check(tx)
            conversation = tx.conversations.get(conversation_id, lock=True)
            file = File.announce(
                announced,
                id=self.ids.new(),
                shop_id=shop_id,
                conversation_id=conversation.id,
                keys=Keys(
                    number=_number(token),
                    public=public,
                    put_digest=digest(put_secret),
                    token_digest=digest(token),
                ),
                files_url=self.files_url,
                limit=self.limit,
                now=now,
            )
            if waiting_limit is not None and tx.files.waiting(conversation.id, now) >= waiting_limit:
                raise TooManyUploads(limit=waiting_limit)
            tx.files.add(file)
            return Begun(file, put_secret, token)

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReceiveUpload:
    db: Database
    clock: Clock
    ids: Ids
    storage: Storage
    types: FileTypes

    async def __call__(self, *, secret: str, length: int | None, content: AsyncIterator[bytes]) -> File:
        """Store what comes, if it is what was announced; `length` is what the sender says before it comes.

        Raises UploadNotFound, UploadExpired or UploadUsed; Invalid for another size, FileTypeRefused for
        another kind, StorageDown, and what `content` raises, after which it may be sent again.
        """
        file, object_key = await self._attempt(secret)
        if length is not None and length != file.size:
            raise _other_size(file)
        intake = Intake(file, content, self.types)
        try:
            await self.storage.put(object_key, intake.checked())
        except FileTypeRefused:
            await self._end(file)
            raise

        def work(tx: Transaction) -> File:
            stored = _found(tx, file)
            stored.receive(object_key=object_key, sha256=intake.sha256, now=self.clock.now())
            tx.files.save(stored)
            return stored

        # When this fails the object belongs to no file, and is swept.
        return await self.db.transact(work, shop=file.shop_id)

    async def _end(self, file: File) -> None:
        """It will never come, and is not waited for."""
        now = self.clock.now()

        def work(tx: Transaction) -> None:
            found = tx.files.find(file.conversation_id, file.number, lock=True)
            if found is not None:
                found.refuse(now)
                tx.files.save(found)

        await self.db.transact(work, shop=file.shop_id)

    async def _attempt(self, secret: str) -> tuple[File, str]:
        """Each attempt writes an object of its own: two at once can't mix, and what one leaves is known."""
        known = await self.db.read(lambda tx: tx.files.by_put_digest(digest(secret)), shop=SYSTEM)
        if known is None:
            raise UploadNotFound
        now = self.clock.now()
        object_key = f"{known.shop_id}/{self.ids.new()}"

        def work(tx: Transaction) -> File:
            file = _found(tx, known)
            file.begin_attempt(now)
            tx.files.save(file)
            tx.objects.add(object_key, now)
            return file

        return await self.db.transact(work, shop=known.shop_id), object_key


class Intake:
    """A file's bytes on their way to the storage: counted, digested, and looked at before any goes on."""

    def __init__(self, file: File, content: AsyncIterator[bytes], types: FileTypes) -> None:
        self._file, self._content, self._types = file, content, types
        self._digest = hashlib.sha256()
        self._size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def checked(self) -> AsyncIterator[bytes]:
        """Raises Invalid or FileTypeRefused."""
        head, is_known = b"", False
        async for chunk in self._content:
            self._count(chunk)
            if is_known:
                yield chunk
                continue
            head += chunk
            if len(head) >= min(HEAD_BYTES, self._file.size):
                is_known = True
                check_content(self._file.kind, self._types.recognise(head[:HEAD_BYTES]))
                yield head
        if self._size != self._file.size:
            raise _other_size(self._file)

    def _count(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._file.size:
            raise _other_size(self._file)
        self._digest.update(chunk)


@dataclass(frozen=True, slots=True)
class CompleteUpload:
    db: Database
    clock: Clock

    async def by_customer(self, *, place: Place, number: int, token: str) -> File:
        """Raises UploadNotFound, UploadIncomplete or UploadUsed."""
        return await self._complete(place.shop_id, place.conversation_id, number, token, lambda tx: None)

    async def by_agent(
        self, *, actor: Agent, shop_id: str, conversation_id: str, number: int, token: str
    ) -> File:
        """Raises the same, and ShopNotFound or Forbidden."""
        return await self._complete(
            shop_id,
            conversation_id,
            number,
            token,
            lambda tx: require(tx, actor, shop_id, Permission.VIEW_INBOX),
        )

    async def _complete(
        self,
        shop_id: str,
        conversation_id: str,
        number: int,
        token: str,
        check: Callable[[Transaction], object],
    ) -> File:
        now: datetime = self.clock.now()

        def work(tx: Transaction) -> File:
            check(tx)
            file = tx.files.find(conversation_id, number, lock=True)
            if file is None:
                raise UploadNotFound
            file.complete(token_digest=digest(token), now=now)
            tx.files.save(file)
            return file

        return await self.db.transact(work, shop=shop_id)


def _found(tx: Transaction, file: File) -> File:
    """It may have gone with its conversation meanwhile."""
    found = tx.files.find(file.conversation_id, file.number, lock=True)
    if found is None:
        raise UploadNotFound
    return found


def _number(token: str) -> int:
    """A number of 52 bits, which every JSON reader keeps exactly."""
    return int(digest("number\0" + token)[:13], 16)


def _other_size(file: File) -> Invalid:
    return Invalid(field="size", rule=f"was announced as {file.size} bytes, and must be exactly that")
