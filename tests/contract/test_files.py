"""What ports.files promises, on every database."""

from datetime import timedelta

import pytest

from core.files.model import EXPIRES_AFTER, Announced, File, FileState, Keys
from core.kernel import ConcurrentUpdate
from ports.db import SYSTEM
from tests.builders import a_message, a_shop, ids

HOUR = timedelta(hours=1)


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
async def message(db, clock, stage):
    return await a_message(db, clock, stage.visitor)


def a_file(stage, message, clock, **changes):
    file = File.announce(
        Announced(name="a.png", media="image/png", size=8),
        id=ids.new(),
        shop_id=stage.shop.id,
        conversation_id=message.conversation_id,
        keys=Keys(number=7, public=ids.secret(), put_digest=ids.new(), token_digest=ids.new()),
        files_url="https://chat.example/files",
        limit=100,
        now=clock.now(),
    )
    for name, value in changes.items():
        setattr(file, name, value)
    return file


async def add(db, file):
    await db.transact(lambda tx: tx.files.add(file), shop=file.shop_id)
    return file


async def attach(db, file, message):
    def work(tx):
        file.use(file.touched_at)
        tx.files.save(file)
        tx.files.attach(message.id, [file])

    await db.transact(work, shop=file.shop_id)


async def shown(db, file):
    return await db.read(lambda tx: tx.files.shown(file.key), shop=SYSTEM)


async def delete_message(db, stage, message):
    work = lambda tx: tx.messages.delete(message.conversation_id, message.id)  # noqa: E731
    assert await db.transact(work, shop=stage.shop.id)


def fields(file):
    return {name: getattr(file, name) for name in File.__dataclass_fields__}


async def test_a_file_comes_back_as_it_was(db, clock, stage, message):
    file = await add(db, a_file(stage, message, clock))
    for find in (
        lambda tx: tx.files.find(file.conversation_id, file.number),
        lambda tx: tx.files.find(file.conversation_id, file.number, lock=True),
        lambda tx: tx.files.by_url(file.url),
    ):
        assert fields(await db.transact(find, shop=stage.shop.id)) == fields(file)
    by_digest = await db.read(lambda tx: tx.files.by_put_digest(file.put_digest), shop=SYSTEM)
    assert fields(by_digest) == fields(file)


async def test_changes_are_stored_once(db, clock, stage, message):
    file = await add(db, a_file(stage, message, clock))
    file.receive(object_key="shop/object", sha256="f" * 64, now=clock.now() + HOUR)
    await db.transact(lambda tx: tx.files.save(file), shop=stage.shop.id)
    find = lambda tx: tx.files.find(file.conversation_id, file.number)  # noqa: E731
    assert fields(await db.read(find, shop=stage.shop.id)) == fields(file)
    file.version -= 1
    with pytest.raises(ConcurrentUpdate):
        await db.transact(lambda tx: tx.files.save(file), shop=stage.shop.id)


async def test_another_shop_finds_nothing(db, clock, stage, message):
    file = await add(db, a_file(stage, message, clock))
    other = (await a_shop(db, clock)).shop.id
    assert await db.read(lambda tx: tx.files.find(file.conversation_id, file.number), shop=other) is None
    assert await db.read(lambda tx: tx.files.by_url(file.url), shop=other) is None
    waiting = lambda tx: tx.files.waiting(file.conversation_id, clock.now())  # noqa: E731
    assert await db.read(waiting, shop=other) == 0


@pytest.mark.parametrize("url", ["", "x", "https://evil.example/files/{key}/a.png", "{url}?x", "{url}/"])
async def test_only_the_exact_address_finds_a_file(db, clock, stage, message, url):
    file = await add(db, a_file(stage, message, clock))
    said = url.format(key=file.key, url=file.url)
    assert await db.read(lambda tx: tx.files.by_url(said), shop=stage.shop.id) is None


async def test_what_waits_is_counted_until_a_message_carries_it(db, clock, stage, message):
    file = await add(db, a_file(stage, message, clock))
    waiting = lambda tx: tx.files.waiting(message.conversation_id, clock.now())  # noqa: E731
    assert await db.read(waiting, shop=stage.shop.id) == 1
    await attach(db, file, message)
    assert await db.read(waiting, shop=stage.shop.id) == 0


@pytest.mark.parametrize(
    ("state", "counts"), [(FileState.PENDING, 0), (FileState.RECEIVED, 1), (FileState.STORED, 1)]
)
async def test_what_can_not_come_any_more_is_not_waited_for(db, clock, stage, message, state, counts):
    await add(db, a_file(stage, message, clock, state=state))
    clock.advance(EXPIRES_AFTER)
    waiting = lambda tx: tx.files.waiting(message.conversation_id, clock.now())  # noqa: E731
    assert await db.read(waiting, shop=stage.shop.id) == counts


@pytest.mark.parametrize("state", list(FileState))
async def test_only_what_is_stored_is_shown(db, clock, stage, message, state):
    file = await add(db, a_file(stage, message, clock, state=state))
    assert (await shown(db, file) is not None) == (state is FileState.STORED)


async def test_a_file_is_shown_as_long_as_one_of_its_messages_is_there(db, clock, stage, message):
    file = await add(db, a_file(stage, message, clock, state=FileState.STORED))
    second = await a_message(db, clock, stage.visitor)
    await attach(db, file, message)
    await attach(db, file, second)
    await delete_message(db, stage, message)
    assert await shown(db, file) is not None
    await delete_message(db, stage, second)
    assert await shown(db, file) is None


async def test_files_end_with_their_conversation(db, clock, stage, message):
    file = await add(db, a_file(stage, message, clock, state=FileState.STORED))
    await attach(db, file, message)

    def delete(tx):
        tx.conversations.delete(tx.conversations.get(message.conversation_id))

    await db.transact(delete, shop=stage.shop.id)
    assert await shown(db, file) is None
    assert await db.read(lambda tx: tx.files.by_put_digest(file.put_digest), shop=SYSTEM) is None


async def test_what_nobody_uses_is_dropped_when_it_is_old(db, clock, stage, message):
    unused, used, lately = [
        await add(db, a_file(stage, message, clock, state=FileState.STORED, number=n)) for n in range(3)
    ]
    await attach(db, used, message)
    lately.touched_at = clock.now() + HOUR
    await db.transact(lambda tx: tx.files.save(lately), shop=stage.shop.id)
    before = clock.now() + timedelta(seconds=1)
    drop = lambda tx: tx.files.drop_unused(before)  # noqa: E731
    assert await db.transact(drop, shop=SYSTEM) == 1
    assert [await shown(db, file) is not None for file in (unused, used, lately)] == [False, True, True]
    await delete_message(db, stage, message)
    assert await db.transact(drop, shop=SYSTEM) == 1
    assert await db.transact(drop, shop=SYSTEM) == 0


async def test_a_conversations_place_is_known_by_its_id(db, clock, stage, message):
    place = await db.read(lambda tx: tx.files.place_of(message.conversation_id), shop=SYSTEM)
    assert (place.shop_id, place.conversation_id, place.visitor_id) == (
        stage.shop.id,
        message.conversation_id,
        stage.visitor.visitor_id,
    )
    assert await db.read(lambda tx: tx.files.place_of("none"), shop=SYSTEM) is None


async def test_objects_without_a_file_are_orphans_once_they_are_old(db, clock, stage, message):
    start = clock.now()
    for number, key in enumerate(("shop/old", "shop/kept", "shop/new")):
        at = start + HOUR * number
        await db.transact(lambda tx, key=key, at=at: tx.objects.add(key, at), shop=stage.shop.id)
    await add(db, a_file(stage, message, clock, object_key="shop/kept"))

    async def orphans(before, limit=10):
        return await db.read(lambda tx: tx.objects.orphans(before, limit), shop=SYSTEM)

    assert await orphans(start) == []
    assert await orphans(start + HOUR * 2) == ["shop/old"]
    assert await orphans(start + HOUR * 3) == ["shop/old", "shop/new"]
    assert await orphans(start + HOUR * 3, limit=1) == ["shop/old"]
    await db.transact(lambda tx: tx.objects.forget(["shop/old", "shop/new"]), shop=SYSTEM)
    assert await orphans(start + HOUR * 3) == []
