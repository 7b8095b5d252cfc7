"""An upload is cut off at the first byte too many, and none of it is kept."""

import pytest

from adapters.providers.puremagic import PureMagicTypes
from adapters.providers.storage_memory import MemoryStorage
from core.files.model import Announced
from core.files.uploading import BeginUpload, LocateConversation, ReceiveUpload
from core.kernel import Invalid
from tests.builders import PICTURE, a_message, a_shop, ids

SIZE = 1_000_000


@pytest.fixture
def database_url():
    return "memory://"


async def test_what_never_ends_is_cut_off(db, clock):
    said = await a_message(db, clock, (await a_shop(db, clock)).visitor)
    begin = BeginUpload(db, clock, ids, "https://chat.example/files", SIZE)
    storage, sent = MemoryStorage(), 0

    async def endless():
        nonlocal sent
        while sent < 10 * SIZE:
            sent += 1_000
            yield PICTURE.ljust(1_000)

    place = await LocateConversation(db)(said.conversation_id)
    begun = await begin.by_customer(
        place=place, announced=Announced(name="a.png", media="image/png", size=SIZE)
    )
    receive = ReceiveUpload(db, clock, ids, storage, PureMagicTypes())
    with pytest.raises(Invalid, match="size was announced as 1000000 bytes"):
        await receive(secret=begun.put_secret, length=None, content=endless())
    assert sent == SIZE + 1_000
    assert storage.objects == {}
