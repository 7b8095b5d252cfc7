"""A shop comes out of any database into any other as it was, and goes on there."""

import hashlib
from datetime import timedelta

import pytest

from adapters.db.archive_tables import shop_tables
from bootstrap.files import files_url
from core.conversations.errors import StreamGone
from core.files.model import Announced
from ports.db import SYSTEM
from tests.archives.stand import AWKWARD, full_shop
from tests.builders import PICTURE
from tests.databases import KINDS

WAYS = [
    *((kind, "sqlite") for kind in KINDS),
    *(("sqlite", kind) for kind in KINDS if kind != "sqlite"),
    ("postgres", "aiosqlite"),
    ("postgres", "postgres"),
]


def unmoved(rows, stand):
    """Rows without what has to be another on another server: where bytes are kept, and addresses."""
    plain = {}
    for name, found in rows.items():
        table = next(one for one in shop_tables() if one.name == name)
        plain[name] = [
            {
                column: value.replace(files_url(stand.settings), "FILES") if isinstance(value, str) else value
                for column, value in row.items()
                if column not in {table.rule.object_key, *(one.column for one in table.rule.sealed)}
            }
            for row in found
        ]
    return plain


@pytest.mark.parametrize(("source_kind", "target_kind"), WAYS)
async def test_every_row_and_every_byte_arrives(server, tmp_path, source_kind, target_kind):
    source, target = server(source_kind), server(target_kind)
    stage, file = await full_shop(source)
    before = await source.rows(stage.shop.id)
    assert [name for name, rows in before.items() if not rows] == []
    done = await source.export(stage, tmp_path / "shop.parley")
    brought = await target.bring_in(done.path)
    after = await target.rows(stage.shop.id)
    assert unmoved(after, target) == unmoved(before, source)
    assert (brought.rows, brought.files) == (done.rows, done.files)
    assert brought.files == 1
    [arrived] = after["files"]
    assert await target.bytes_of(arrived["object_key"]) == PICTURE
    assert arrived["object_key"] != file.object_key
    assert await target.findings() == []


@pytest.mark.parametrize("between", ["postgres"])
async def test_there_and_back_again_it_is_the_same(server, tmp_path, between):
    """SQLite, Postgres, and SQLite of the first address once more."""
    first, second = server("sqlite"), server(between)
    third = server("sqlite", public_url=first.settings.base_url)
    stage, _ = await full_shop(first)
    await first.export(stage, tmp_path / "1.parley")
    await second.bring_in(tmp_path / "1.parley")
    await second.export(stage, tmp_path / "2.parley")
    await third.bring_in(tmp_path / "2.parley")
    there, here = await third.rows(stage.shop.id), await first.rows(stage.shop.id)
    assert unmoved(there, third) == unmoved(here, first)


async def test_clients_go_on_where_they_were(target, made, archive):
    stage = made.stage
    [position] = [row["position"] for row in made.rows["shop_streams"]]
    [before] = made.rows["conversations"]
    await target.bring_in(archive)
    said = await target.says(stage, "Still there?")
    assert said.sequence == before["last_sequence"] + 1
    missed = await target.db.read(lambda tx: tx.stream.after(position, 10), shop=stage.shop.id)
    assert [(one.position, one.event.topic) for one in missed][:1] == [(position + 1, "message.posted")]
    with pytest.raises(StreamGone):
        await target.db.read(lambda tx: tx.stream.after(position + 99, 10), shop=stage.shop.id)
    assert await target.findings() == []


async def test_what_is_repeated_has_been_done_before(target, made, archive):
    """A client that never heard its answer asks the new server instead."""
    await target.bring_in(archive)
    before = await target.everything()
    again = await target.says(made.stage, AWKWARD, client_id="c-1")
    assert again.sequence == 1
    assert await target.everything() == before


async def test_what_waits_to_be_done_is_done_there(target, archive):
    await target.bring_in(archive)
    waiting = await target.db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM)
    assert [one.lane for one in waiting].count("l") == 1
    assert len({one.id for one in waiting}) == len(waiting)


async def test_what_the_old_server_was_about_to_do_is_free_to_be_done(source, target, tmp_path):
    """Its processes' claims end with it: nobody waits for them to lapse."""
    stage, _ = await full_shop(source)
    now, until = source.clock.now(), source.clock.now() + timedelta(days=1)
    claim = lambda tx: tx.deliveries.claim(now=now, until=until, limit=100)  # noqa: E731
    taken = await source.db.transact(claim, shop=SYSTEM)
    hooks = await source.db.transact(lambda tx: tx.webhooks.claim(now=now, until=until, limit=9), shop=SYSTEM)
    await source.export(stage, tmp_path / "shop.parley")
    await target.bring_in(tmp_path / "shop.parley")
    again = await target.db.transact(claim, shop=SYSTEM)
    assert [one.event_id for one in again] == [one.event_id for one in taken] != []
    due = await target.db.transact(lambda tx: tx.webhooks.claim(now=now, until=until, limit=9), shop=SYSTEM)
    assert due == hooks != []


async def test_uploads_that_have_not_come_stay_where_they_were_announced(source, target, tmp_path):
    stage, file = await full_shop(source)
    uploads = source.container.application().files
    place = await uploads.locate(file.conversation_id)
    announced = Announced(name="b.png", media="image/png", size=len(PICTURE))
    await uploads.begin.by_customer(place=place, announced=announced)
    assert (await source.everything())["files"] == 2
    await source.export(stage, tmp_path / "shop.parley")
    await target.bring_in(tmp_path / "shop.parley")
    assert [row["id"] for row in (await target.rows(stage.shop.id))["files"]] == [file.id]
    assert await target.findings() == []


async def test_files_are_served_at_the_new_servers_addresses(target, made, archive):
    await target.bring_in(archive)
    rows = await target.rows(made.stage.shop.id)
    [arrived] = rows["files"]
    assert made.file.url.startswith("https://made.example/files/")
    assert arrived["url"] == made.file.url.replace("https://made.example/files", files_url(target.settings))
    read = target.container.application().files.read
    found = await read.find(key=made.file.key, name=made.file.path_name)
    assert b"".join([chunk async for chunk in await read.content(found)]) == PICTURE
    attachments = [row["attachments"] for row in rows["messages"] if row["attachments"] != "[]"]
    assert [arrived["url"] in told for told in attachments] == [True]
    payloads = "".join(row["payload"] for row in rows["events"])
    assert arrived["url"] in payloads
    assert made.file.url not in payloads


async def test_the_same_shop_makes_the_same_archive(source, tmp_path):
    stage, _ = await full_shop(source)
    for name in ("1", "2"):
        await source.export(stage, tmp_path / name)
    one, two = (hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in ("1", "2"))
    assert one == two


async def test_only_the_shop_itself_is_in_its_archive(source, target, tmp_path):
    ours, _ = await full_shop(source)
    theirs = (
        await source.container.application().shops.open(owner=ours.owner, name="B", settings={})
    ).view.shop
    await source.export(ours, tmp_path / "shop.parley")
    await target.bring_in(tmp_path / "shop.parley")
    assert (await target.everything())["shops"] == 1
    assert await target.db.read(lambda tx: tx.shops.by_id(theirs.id), shop=SYSTEM) is None
