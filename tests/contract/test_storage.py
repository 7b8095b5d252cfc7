"""What ports.storage promises, in memory, on this machine's disk, and in a bucket over real HTTP."""

import asyncio
import hashlib
import os
from contextlib import aclosing

import pytest

from adapters.providers.storage_disk import DiskStorage
from adapters.providers.storage_memory import MemoryStorage
from adapters.providers.storage_s3 import S3Storage
from ports.storage import CHUNK, ObjectMissing, StorageDown
from tests.providers.s3_server import BUCKET, KEY_ID, REGION, SECRET, bucket

KEY = "shop-1/0198c0de-9f3a-7c21-b5d4-e6f800000001"
LARGE = 12 * 1024 * 1024 + 123


@pytest.fixture
async def s3():
    async with bucket() as served:
        yield served
        assert served.refused == [], "the bucket was asked for something it does not take"


def s3_storage(served, **changes):
    options = {"endpoint": served.url, "region": REGION, "access_key_id": KEY_ID, "secret_access_key": SECRET}
    return S3Storage(BUCKET, **(options | changes))


@pytest.fixture(params=["memory", "disk", "s3"])
def storage(request, tmp_path):
    if request.param == "memory":
        return MemoryStorage()
    if request.param == "disk":
        return DiskStorage(tmp_path / "files")
    return s3_storage(request.getfixturevalue("s3"), prefix="parley")


async def chunks(content, size=65_536):
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(storage, key=KEY, **part):
    return b"".join([chunk async for chunk in await storage.get(key, **part)])


@pytest.mark.parametrize("size", [1, 10, CHUNK, CHUNK + 1, LARGE])
async def test_what_was_put_comes_back(storage, size):
    content = os.urandom(size)
    await storage.put(KEY, chunks(content))
    assert await storage.exists(KEY)
    assert hashlib.sha256(await read(storage)).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 1), (0, None), (5, None), (5, 10), (CHUNK - 1, 2), (CHUNK * 2, 99), (CHUNK, CHUNK)],
)
async def test_parts_can_be_read(storage, start, length):
    content = os.urandom(CHUNK * 3)
    await storage.put(KEY, chunks(content))
    end = None if length is None else start + length
    assert await read(storage, start=start, length=length) == content[start:end]


async def test_nothing_large_comes_at_once(storage):
    await storage.put(KEY, chunks(bytes(LARGE)))
    sizes = [len(chunk) async for chunk in await storage.get(KEY)]
    assert sum(sizes) == LARGE
    assert max(sizes) <= CHUNK * 4


async def test_a_reader_may_stop_early(storage):
    await storage.put(KEY, chunks(bytes(LARGE)))
    async with aclosing(await storage.get(KEY)) as content:
        async for _ in content:
            break
    await storage.delete(KEY)


async def test_what_is_not_there_is_told_before_the_first_byte(storage):
    assert not await storage.exists(KEY)
    with pytest.raises(ObjectMissing):
        await storage.get(KEY)


async def test_deleting_can_be_repeated(storage):
    await storage.put(KEY, chunks(b"content"))
    for _ in range(2):
        await storage.delete(KEY)
        assert not await storage.exists(KEY)
    with pytest.raises(ObjectMissing):
        await storage.get(KEY)


@pytest.mark.parametrize("size", [0, 10, CHUNK * 2, LARGE])
async def test_what_breaks_off_is_not_stored(storage, size):
    async def broken():
        async for chunk in chunks(bytes(size)):
            yield chunk
        raise ConnectionAbortedError("the uploader went away")

    with pytest.raises(ConnectionAbortedError):
        await storage.put(KEY, broken())
    assert not await storage.exists(KEY)


async def test_a_put_that_broke_off_can_be_repeated(storage):
    async def broken():
        yield b"half"
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await storage.put(KEY, broken())
    await storage.put(KEY, chunks(b"whole"))
    assert await read(storage) == b"whole"


async def test_objects_do_not_meet(storage):
    keys = [f"shop-{n}/object" for n in range(8)]
    await asyncio.gather(*[storage.put(key, chunks(key.encode() * 1000)) for key in keys])
    for key in keys:
        assert await read(storage, key) == key.encode() * 1000


@pytest.mark.parametrize(
    "key",
    ["", "../etc/passwd", "a/../b", "/etc/passwd", "a//b", "a/", ".", "a.part", "a\0b", "a b", "a/b/c/d/e"],
)
async def test_no_key_leads_out_of_the_storage(storage, key):
    for action in (
        storage.put(key, chunks(b"x")),
        storage.get(key),
        storage.exists(key),
        storage.delete(key),
    ):
        with pytest.raises(ValueError, match="letters, digits"):
            await action


# On the disk


async def test_nothing_shows_before_all_of_it_is_there(tmp_path):
    storage, seen = DiskStorage(tmp_path), []

    async def watched():
        async for chunk in chunks(bytes(CHUNK * 3)):
            seen.append(await storage.exists(KEY))
            yield chunk

    await storage.put(KEY, watched())
    assert seen
    assert not any(seen)
    assert await storage.exists(KEY)


async def test_the_disk_holds_files_that_nobody_else_may_read(tmp_path):
    await DiskStorage(tmp_path / "files").put(KEY, chunks(b"x"))
    path = tmp_path / "files" / KEY
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


async def test_what_a_crash_left_is_deleted_too(tmp_path):
    path = tmp_path / f"{KEY}.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    await DiskStorage(tmp_path).delete(KEY)
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == []


async def test_what_breaks_off_leaves_no_file(tmp_path):
    async def broken():
        yield bytes(CHUNK)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await DiskStorage(tmp_path).put(KEY, broken())
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == []


async def test_a_cancelled_upload_leaves_no_file(tmp_path):
    begun = asyncio.Event()

    async def hanging():
        yield bytes(CHUNK)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(DiskStorage(tmp_path).put(KEY, hanging()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == []


async def test_a_disk_that_refuses_is_told_as_an_outage(tmp_path):
    (tmp_path / "files").write_bytes(b"a file where the directory should be")
    with pytest.raises(StorageDown):
        await DiskStorage(tmp_path / "files").put(KEY, chunks(b"x"))


# In a bucket


async def test_small_files_take_one_request_and_large_ones_parts(s3):
    storage = s3_storage(s3, prefix="parley")
    await storage.put(KEY, chunks(b"small"))
    assert s3.asked == [f"PUT parley/{KEY}"]
    s3.asked.clear()
    await storage.put(KEY, chunks(bytes(LARGE)))
    assert s3.asked == [
        f"POST parley/{KEY}?uploads",
        *[f"PUT parley/{KEY}?partNumber&uploadId"] * 3,
        f"POST parley/{KEY}?uploadId",
    ]
    assert len(s3.objects[f"parley/{KEY}"]) == LARGE


async def test_an_upload_in_parts_that_breaks_off_is_given_up(s3):
    async def broken():
        async for chunk in chunks(bytes(LARGE)):
            yield chunk
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await s3_storage(s3).put(KEY, broken())
    assert (s3.objects, s3.uploads) == ({}, {})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret_access_key": "another"}, "SignatureDoesNotMatch"),
        ({"access_key_id": "another"}, "InvalidAccessKeyId"),
        ({"region": "us-east-1"}, "InvalidAccessKeyId"),
    ],
)
async def test_a_bucket_that_refuses_is_told_as_an_outage(s3, changes, code):
    with pytest.raises(StorageDown):
        await s3_storage(s3, **changes).put(KEY, chunks(b"x"))
    assert set(s3.refused) == {code}
    s3.refused.clear()


async def test_a_bucket_out_of_reach_is_told_as_an_outage(s3):
    storage = s3_storage(s3)
    await storage.put(KEY, chunks(b"x"))
    s3.is_down = True
    for action in (
        storage.put(KEY, chunks(b"x")),
        storage.get(KEY),
        storage.exists(KEY),
        storage.delete(KEY),
    ):
        with pytest.raises(StorageDown):
            await action
