"""Whatever breaks in between: there is a whole archive or none, a whole shop or none."""

import asyncio
import json
import os
import threading
from datetime import timedelta

import pytest
from dependency_injector import providers

from adapters.db.archive_queries import session_of
from adapters.db.archive_tables import shop_tables
from adapters.providers.storage_s3 import S3Storage
from bootstrap.container import Container
from bootstrap.shop_export import FileIsNotWhatItWas
from core.files.model import KEPT_UNUSED
from ports.storage import StorageDown
from tests.archives.stand import Silent, Stand, full_shop
from tests.builders import PICTURE
from tests.databases import START
from tests.providers.s3_server import BUCKET, KEY_ID, REGION, SECRET, bucket


class Unsound:
    """The disk's storage, which breaks after so many objects."""

    def __init__(self, storage, good):
        self._storage, self.good = storage, good
        self.get, self.exists, self.delete = storage.get, storage.exists, storage.delete

    async def put(self, key, content):
        self.good -= 1
        if self.good < 0:
            raise StorageDown
        await self._storage.put(key, content)


async def test_an_import_that_loses_its_storage_leaves_no_row(server, archive, made):
    target = server()
    whole = target.storage
    with target.container.storage.override(providers.Object(Unsound(whole, 0))), pytest.raises(StorageDown):
        await target.bring_in(archive)
    assert not any((await target.everything()).values())
    assert (await target.bring_in(archive)).files == 1
    assert await target.findings() == []


async def test_what_an_import_left_behind_is_swept(server, archive, made, monkeypatch):
    target = server()
    monkeypatch.setattr("bootstrap.shop_import._Arrival.write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await target.bring_in(archive)
    monkeypatch.undo()
    assert len(target.stored()) == 1
    await target.bring_in(archive)
    assert len(target.stored()) == 2
    target.clock.advance(KEPT_UNUSED + timedelta(seconds=1))
    assert await target.container.application().files.sweep() == 1
    assert len(target.stored()) == 1
    assert await target.findings() == []


@pytest.mark.parametrize("kind", ["sqlite", "aiosqlite", "postgres"])
async def test_a_shop_that_comes_twice_at_once_comes_once(server, archive, kind):
    target = server(kind)
    done = await asyncio.gather(*(target.bring_in(archive) for _ in range(3)), return_exceptions=True)
    assert [isinstance(one, Exception) for one in done].count(False) == 1
    assert (await target.everything())["shops"] == 1
    assert await target.findings() == []


async def test_an_export_that_breaks_off_leaves_no_archive(source, tmp_path):
    stage, file = await full_shop(source)
    await source.storage.delete(file.object_key)
    (tmp_path / "shop.parley").write_text("the one of yesterday")
    with pytest.raises(FileIsNotWhatItWas, match="its bytes are not in the storage"):
        await source.export(stage, tmp_path / "shop.parley")
    assert (tmp_path / "shop.parley").read_text() == "the one of yesterday"
    assert [path.name for path in tmp_path.glob("*.part")] == []


async def test_bytes_that_have_changed_are_not_passed_on(source, tmp_path):
    stage, _ = await full_shop(source)
    [stored] = source.stored()
    stored.write_bytes(bytes(len(PICTURE)))
    with pytest.raises(FileIsNotWhatItWas, match="its bytes have changed"):
        await source.export(stage, tmp_path / "shop.parley")


async def test_an_archive_is_its_owners_alone(archive, source, tmp_path):
    stage, _ = await full_shop(source)
    done = await source.export(stage, tmp_path / "shop.parley")
    assert done.path.stat().st_mode & 0o777 == 0o600


async def test_an_export_shows_one_moment_while_the_shop_goes_on(source, target, tmp_path):
    """A message comes between two tables; neither it nor its conversation's new number are in the archive."""
    stage, _ = await full_shop(source)
    loop = asyncio.get_running_loop()
    [before] = (await source.rows(stage.shop.id))["conversations"]

    def say():
        asyncio.run_coroutine_threadsafe(source.says(stage, "in between"), loop).result(10)

    await source.export(stage, tmp_path / "shop.parley", Silent(at=say))
    await target.bring_in(tmp_path / "shop.parley")
    after = await target.rows(stage.shop.id)
    assert "in between" not in {row["text"] for row in after["messages"]}
    assert [row["last_sequence"] for row in after["conversations"]] == [before["last_sequence"]]
    assert await target.findings() == []
    assert "in between" in {row["text"] for row in (await source.rows(stage.shop.id))["messages"]}


@pytest.mark.parametrize("kind", ["postgres"])
async def test_on_postgres_too(server, target, tmp_path, postgres, kind):
    source = server(kind)
    stage, _ = await full_shop(source)
    database = source.settings.database_url.rpartition("/")[2]

    def change():
        postgres[0].execute(
            "DELETE FROM messages; UPDATE conversations SET last_sequence = 99; DELETE FROM members", database
        )

    before = await source.rows(stage.shop.id)
    await source.export(stage, tmp_path / "shop.parley", Silent(at=change))
    await target.bring_in(tmp_path / "shop.parley")
    assert (await target.rows(stage.shop.id))["messages"][0]["text"] == before["messages"][0]["text"]
    assert (await source.rows(stage.shop.id))["messages"] == []


@pytest.mark.parametrize("kind", ["postgres"])
async def test_on_postgres_an_import_can_write_no_row_of_another_shop(server, archive, kind, monkeypatch):
    """Row-level security would stop it if the shop of a row were ever mistaken."""
    target = server(kind)
    monkeypatch.setattr(
        "bootstrap.shop_import.ShopTable.add",
        lambda table, session, shop_id, rows: table._add.run_many(
            session, [{**row, "shop_id": "another"} for row in rows]
        ),
    )
    with pytest.raises(Exception, match="row-level security"):
        await target.bring_in(archive)


async def test_rows_that_are_large_come_few_at_a_time(source, target, tmp_path, monkeypatch):
    monkeypatch.setattr("adapters.db.archive_tables.PAGE_BYTES", 100_000)
    monkeypatch.setattr("bootstrap.shop_proof.PAGE_BYTES", 100_000)
    stage, _ = await full_shop(source)
    sessions = next(one for one in shop_tables() if one.name == "visitor_sessions")
    large = {"label": None, "site_id": None, "labels": json.dumps({"page": "x" * 30_000})}
    rows = [{"id": f"{n:02}", "visitor_id": "v", "created_at": START, **large} for n in range(40)]
    await source.db.transact(lambda tx: sessions.add(session_of(tx), stage.shop.id, rows), shop=stage.shop.id)

    def sizes(tx):
        return [len(page) for page in sessions.pages(session_of(tx), stage.shop.id)]

    first, *rest = await source.db.read(sizes, shop=stage.shop.id)
    assert (first, max(rest), first + sum(rest)) == (8, 3, 41)
    await source.export(stage, tmp_path / "shop.parley")
    await target.bring_in(tmp_path / "shop.parley")
    assert len((await target.rows(stage.shop.id))["visitor_sessions"]) == 41


@pytest.mark.parametrize("kind", ["sqlite", "aiosqlite", "postgres"])
async def test_whoever_gives_up_gets_nothing(server, archive, kind):
    """Also when the transaction has begun, which goes on without whoever waits for it."""
    target, ended = server(kind), threading.Event()
    loop, tasks = asyncio.get_running_loop(), []

    def give_up():
        loop.call_soon_threadsafe(tasks[0].cancel)
        # Where rows are written in a thread of their own, that one goes on only when nobody waits any more.
        if threading.current_thread() is not threading.main_thread():
            assert ended.wait(10)

    tasks.append(asyncio.create_task(target.bring_in(archive, meter=Silent(at=give_up))))
    tasks[0].add_done_callback(lambda _: ended.set())
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    # Closing waits for what has begun.
    await target.db.close()
    again = Stand(Container(settings=target.settings), target.settings)
    assert not any((await again.everything()).values())
    await again.db.close()


async def test_files_go_from_a_disk_into_a_bucket_and_back(server, archive, made, tmp_path):
    async with bucket() as served:
        storage = S3Storage(
            BUCKET,
            prefix="parley",
            endpoint=served.url,
            region=REGION,
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
        )
        middle, last = server(), server()
        with middle.container.storage.override(providers.Object(storage)):
            await middle.bring_in(archive)
            assert list(served.objects.values()) == [PICTURE]
            done = await middle.export(made.stage, tmp_path / "again.parley")
            assert await middle.findings() == []
        await last.bring_in(done.path)
        assert [path.read_bytes() for path in last.stored()] == [PICTURE]
        assert served.refused == []


async def test_large_files_and_many_rows_pass_in_pieces(source, target, tmp_path, monkeypatch):
    monkeypatch.setattr("adapters.db.archive_tables.PAGE", 3)
    monkeypatch.setattr("adapters.db.archive_tables.FIRST_PAGE", 2)
    monkeypatch.setattr("bootstrap.shop_proof.PAGE", 2)
    stage, _ = await full_shop(source)
    for number in range(8):
        await source.says(stage, f"message {number}")
    before = await source.rows(stage.shop.id)
    done = await source.export(stage, tmp_path / "shop.parley")
    await target.bring_in(done.path)
    after = await target.rows(stage.shop.id)
    assert [row["id"] for row in after["messages"]] == [row["id"] for row in before["messages"]]
    assert len(after["events"]) == len(before["events"]) > 9


async def test_many_files_come_several_at_a_time(source, target, tmp_path):
    stage, _ = await full_shop(source)

    def add(tx):
        session = session_of(tx)
        table = next(one for one in shop_tables() if one.name == "files")
        [(row, _)] = next(table.pages(session, stage.shop.id))
        row.pop("shop_id")
        for number in range(20):
            name = f"{number:02}"
            keys = {"id": name, "key": name, "put_digest": name, "object_key": f"x/{name}", "number": number}
            table.add(session, stage.shop.id, [{**row, **keys, "size": 300_000 + number, "sha256": None}])
            tx.objects.add(f"x/{name}", source.clock.now())

    await source.db.transact(add, shop=stage.shop.id)
    contents = {f"x/{number:02}": os.urandom(300_000 + number) for number in range(20)}

    async def pieces(content):
        yield content

    for key, content in contents.items():
        await source.storage.put(key, pieces(content))
    await source.export(stage, tmp_path / "shop.parley")
    assert (await target.bring_in(tmp_path / "shop.parley")).files == 21
    arrived = {row["id"]: row["object_key"] for row in (await target.rows(stage.shop.id))["files"]}
    for key, content in contents.items():
        assert await target.bytes_of(arrived[key.removeprefix("x/")]) == content
