"""Archives that would take more than a disk, more than the memory, or for ever."""

import zipfile

from adapters.archives import reading
from tests.archives.forging import contents, sealed, write


async def test_what_swells_is_refused_before_it_is_unpacked(archive, refused):
    entries = contents(archive)
    entries["tables/forms.jsonl"] = bytes(reading.SMALL + 1)
    write(archive, sealed(entries))
    await refused(archive, "names more than can be in an archive of this size")


async def test_a_file_must_not_be_packed(archive, refused):
    entries = contents(archive)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    await refused(archive, "is packed in another way")


async def test_entries_that_share_their_bytes_are_refused(archive, refused):
    """As bombs do that are small however often they are unpacked."""
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        info = opened.getinfo("tables/forms.jsonl")
    directory = content.rindex(b"PK\x01\x02", 0, content.rindex(info.filename.encode()))
    content[directory + 20 : directory + 24] = (10**6).to_bytes(4, "little")
    archive.write_bytes(content)
    await refused(archive, "names more than there is|cut off or damaged")


async def test_a_row_that_never_ends_is_refused(archive, refused, monkeypatch):
    monkeypatch.setattr(reading, "LINE_LIMIT", 1_000)
    entries = contents(archive)
    entries["tables/forms.jsonl"] = b"x" * 2_000
    write(archive, sealed(entries))
    await refused(archive, "has a row of more than 1000 bytes")
