"""An archive that is not whole, or not as it was written, is refused before anything is written."""

import hashlib
import json
import random

import pytest

from adapters.archives import manifest as manifests
from adapters.archives.manifest import ArchiveRefused
from adapters.archives.reading import Archive
from bootstrap.shop_proof import prove_hashes
from tests.archives.forging import contents, sealed, write
from tests.archives.stand import Silent

MESSAGES = "tables/messages.jsonl"


async def test_an_archive_that_was_written_anew_by_hand_is_fine(archive, target):
    write(archive, sealed(contents(archive)))
    assert (await target.bring_in(archive)).files == 1


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.99, 0.9999])
async def test_what_is_cut_off_is_refused(archive, refused, part):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * part)])
    await refused(archive, "cut off or damaged")


@pytest.mark.parametrize("seed", range(40))
def test_a_bit_that_falls_over_is_seen_or_changes_nothing(archive, seed):
    """Nothing vouches for dates and comments of the container, which are not read."""
    before = contents(archive)
    changed, chance = bytearray(archive.read_bytes()), random.Random(seed)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    archive.write_bytes(changed)
    try:
        with Archive(archive) as opened:
            prove_hashes(opened, Silent())
    except ArchiveRefused:
        return
    assert contents(archive) == before


async def test_every_entry_is_proved(archive, tmp_path, refused):
    for name, content in contents(archive).items():
        entries = contents(archive)
        entries[name] = content[:-2] + b"!" + content[-1:] if content else b"\n"
        write(tmp_path / "edited", entries)
        await refused(tmp_path / "edited", name)


@pytest.mark.parametrize(
    "name", ["tables/orders.jsonl", "manifest.json", "manifest.sha256", "accounts.jsonl"]
)
async def test_what_is_missing_is_named(archive, refused, name):
    entries = contents(archive)
    del entries[name]
    write(archive, entries)
    await refused(archive, f"{name} is missing")


async def test_a_missing_file_is_named(archive, refused):
    entries = contents(archive)
    [name] = [name for name in entries if name.startswith("files/")]
    del entries[name]
    write(archive, entries)
    await refused(archive, f"{name} is missing")
    write(archive, sealed(entries))
    await refused(archive, f"{name} is not the file that tables/files.jsonl speaks of")


async def test_what_is_too_much_is_named(archive, refused):
    write(archive, {**contents(archive), "more.txt": b"hello"})
    await refused(archive, "more.txt is not in the manifest")


async def test_another_order_is_refused(archive, refused):
    entries = list(contents(archive).items())
    write(archive, [entries[1], entries[0], *entries[2:]])
    await refused(archive, "another order")


async def test_rows_in_another_order_are_refused(archive, refused):
    entries = contents(archive)
    lines = entries[MESSAGES].splitlines(keepends=True)
    entries[MESSAGES] = b"".join(reversed(lines))
    write(archive, entries)
    await refused(archive, f"{MESSAGES} is not what the manifest says")


@pytest.mark.filterwarnings("ignore:Duplicate name")
async def test_an_entry_that_is_there_twice_is_refused(archive, refused):
    entries = contents(archive)
    write(archive, [*entries.items(), (MESSAGES, entries[MESSAGES])])
    await refused(archive, f"{MESSAGES} is there twice")


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/passwd", "/etc/passwd", "files/../../x", "files/a/../b", "files/", "files/a\\b"),
        *("tables/../x.jsonl", "tables/x.csv", "C:\\x", "files/a.b", "files/a/b/c/d/e"),
    ],
)
async def test_no_name_leads_out_of_the_archive(archive, refused, name):
    write(archive, sealed({**contents(archive), name: b"x"}))
    await refused(archive, "is nothing that an archive holds")


async def test_a_table_of_nobodys_is_refused(archive, refused):
    write(archive, sealed({**contents(archive), "tables/users.jsonl": b""}))
    await refused(archive, "tables/users.jsonl is no table of a shop's")


async def test_a_file_that_no_row_names_is_refused(archive, refused):
    write(archive, sealed({**contents(archive), "files/shop/more": b"x"}))
    await refused(archive, "files/shop/more belongs to no row")


async def test_bytes_that_are_not_the_rows_are_refused(archive, refused):
    entries = contents(archive)
    [name] = [name for name in entries if name.startswith("files/")]
    entries[name] = bytes(len(entries[name]))
    write(archive, sealed(entries))
    await refused(archive, "is not the file that")


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda row: row.pop("text"), "missing required field `text`"),
        (lambda row: row.update(more=1), "unknown field `more`"),
        (lambda row: row.update(shop_id="another"), "unknown field `shop_id`"),
        (lambda row: row.update(sequence="1"), "Expected `int`, got `str`"),
        (lambda row: row.update(sequence=2**63), "<= 9223372036854775807"),
        (lambda row: row.update(sender="king"), "Invalid enum value 'king'"),
        (lambda row: row.update(sender_name="x" * 256), "length <= 255"),
        (lambda row: row.update(text="a\0b"), "Expected no NUL"),
        (lambda row: row.update(created_at="yesterday"), "Invalid RFC3339"),
        (lambda row: row.update(created_at="2026-01-01T00:00:00"), "timezone"),
        (lambda row: row.update(attachments=[{"kind": "image"}]), "missing required field `url`"),
        (lambda row: row.update(attachments=None), "got `null`"),
        (lambda row: row.update(text=None), "Expected `str`, got `null`"),
    ],
)
async def test_a_row_that_is_none_is_refused(archive, refused, edit, why):
    entries = contents(archive)
    first, *rest = entries[MESSAGES].splitlines(keepends=True)
    row = json.loads(first)
    edit(row)
    entries[MESSAGES] = json.dumps(row).encode() + b"\n" + b"".join(rest)
    write(archive, sealed(entries))
    await refused(archive, why)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}"])
async def test_a_line_that_is_no_row_is_refused(archive, refused, line):
    entries = contents(archive)
    entries[MESSAGES] += line + b"\n"
    write(archive, sealed(entries))
    await refused(archive, "messages.jsonl has a row, number 4, that is none")


async def test_a_last_row_without_its_end_is_refused(archive, refused):
    entries = contents(archive)
    entries[MESSAGES] = entries[MESSAGES].rstrip(b"\n")
    write(archive, sealed(entries))
    await refused(archive, "another number of rows")


async def test_rows_that_belong_to_nothing_are_refused(archive, refused):
    entries = contents(archive)
    entries["tables/conversations.jsonl"] = b""
    write(archive, sealed(entries))
    await refused(archive, "does not fit in here: .*(FOREIGN KEY|foreign key)")


async def test_rows_that_are_there_twice_are_refused(archive, refused):
    entries = contents(archive)
    entries["tables/forms.jsonl"] *= 2
    write(archive, sealed(entries))
    await refused(archive, "does not fit in here: UNIQUE")


async def test_a_shop_that_contradicts_itself_is_refused(archive, refused):
    entries = contents(archive)
    entries["tables/conversations.jsonl"] = entries["tables/conversations.jsonl"].replace(
        b'"last_sequence":3', b'"last_sequence":1'
    )
    write(archive, sealed(entries))
    await refused(archive, "the shop breaks a rule: ")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": 2}, "is of the format parley-shop 2; this is known: parley-shop 1"),
        ({"format": "tar"}, "is of the format tar 1"),
        ({"schema": "20200101a"}, "comes from the schema 20200101a"),
        ({"shop": {"id": "../x", "name": "x"}}, "regex"),
        ({"shop": {"id": "*", "name": "x"}}, "regex"),
        ({"files_url": ""}, "regex"),
        ({"more": 1}, "unknown field"),
        ({"entries": []}, "is not in the manifest"),
    ],
)
async def test_a_manifest_of_another_kind_is_refused(archive, refused, changes, why):
    write(archive, sealed(contents(archive), **changes))
    await refused(archive, why)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null"])
async def test_a_manifest_that_is_none_is_refused(archive, refused, content):
    seal = hashlib.sha256(content).hexdigest() + "\n"
    write(archive, {**contents(archive), "manifest.json": content, "manifest.sha256": seal})
    await refused(archive, "manifest.json can't be read")


@pytest.mark.parametrize("content", [b"", b"Dear diary", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
async def test_what_is_no_archive_is_refused(tmp_path, refused, content):
    (tmp_path / "x").write_bytes(content)
    await refused(tmp_path / "x", "cut off or damaged|is missing")


async def test_an_archive_that_changes_while_it_is_read_leaves_nothing(archive, target, monkeypatch):
    """Everything is proved once more as it goes in."""
    whole, prove = archive.read_bytes(), __import__("bootstrap.shop_import", fromlist=["prove"]).prove

    def prove_and_change(opened, meter):
        proof = prove(opened, meter)
        at = whole.index(b"tables/events.jsonl") + 100
        archive.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        return proof

    monkeypatch.setattr("bootstrap.shop_import.prove", prove_and_change)
    before = await target.everything()
    with pytest.raises(ArchiveRefused, match=r"tables/events\.jsonl"):
        await target.bring_in(archive)
    assert await target.everything() == before


def test_names_of_entries_are_what_the_storage_takes_for_keys():
    assert manifests.Entry("files/a/b-c_1", None, 1, "").object_key == "a/b-c_1"
