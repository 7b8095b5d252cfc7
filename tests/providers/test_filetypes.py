"""Files recognised by how they begin."""

import struct

import pytest

from adapters.providers.puremagic import PureMagicTypes
from core.files.errors import FileTypeRefused
from core.files.types import TYPES, check_content, declared_type


def iso(brand: bytes) -> bytes:
    return struct.pack(">I", 24) + b"ftyp" + brand + b"\0\0\2\0isommp42" + bytes(200)


def ebml(kind: bytes) -> bytes:
    return (
        b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82"
        + bytes([128 + len(kind)])
        + kind
    )


SAMPLES = {
    "image/png": [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(50)],
    "image/jpeg": [
        b"\xff\xd8\xff" + kind + bytes(50)
        for kind in (b"\xe0\0\x10JFIF\0", b"\xe1\0\x10Exif\0", b"\xdb\0C\0")
    ],
    "image/gif": [b"GIF89a" + bytes(50), b"GIF87a" + bytes(50)],
    "image/webp": [b"RIFF\x24\0\0\0WEBPVP8 " + bytes(50), b"RIFF\x24\0\0\0WEBPVP8L" + bytes(50)],
    "video/mp4": [
        iso(b) for b in (b"isom", b"iso2", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ")
    ],
    "video/quicktime": [iso(b"qt  ")],
    "video/webm": [ebml(b"webm") + bytes(100)],
    "audio/mp4": [iso(b"M4A "), iso(b"M4B "), iso(b"mp42")],
    "audio/webm": [ebml(b"webm") + bytes(100)],
    "audio/mpeg": [b"ID3\x04\0\0\0\0\0\0" + bytes(100)]
    + [b"\xff" + kind + b"\x90\x64" + bytes(100) for kind in (b"\xfb", b"\xfa", b"\xf3", b"\xf2", b"\xe3")],
    "audio/ogg": [b"OggS\0\x02" + bytes(22) + b"\x01\x13OpusHead" + bytes(50)],
    "audio/wav": [b"RIFF\x24\0\0\0WAVEfmt " + bytes(50)],
    "application/pdf": [b"%PDF-1.4\n" + bytes(50), b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(50)],
}
STRANGERS = {
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "html after blanks": b"\n\n  <html><body onload=alert(1)>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg with head": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "text": b"hello",
    "nothing": b"",
    "program": b"MZ\x90\0\x03" + bytes(100),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(100),
    "archive": b"PK\x03\x04\x14\0" + bytes(100),
    "matroska": ebml(b"matroska") + bytes(100),
    "heic": iso(b"heic"),
    "3gp": iso(b"3gp4"),
    "avi": b"RIFF\x24\0\0\0AVI LIST" + bytes(50),
    "no brand": b"\0\0\0\x18ftyp",
    "almost mp3": b"\xff\xff\xff\xff" + bytes(50),
    "png in html": b"<img>\x89PNG\r\n\x1a\n",
    "pdf later": b"x" * 20 + b"%PDF-1.7",
}


@pytest.fixture
def types():
    return PureMagicTypes()


def test_there_is_a_sample_of_every_kind_that_is_taken():
    assert SAMPLES.keys() == TYPES.keys()


@pytest.mark.parametrize(("media", "head"), [(m, head) for m, heads in SAMPLES.items() for head in heads])
def test_what_is_taken_is_recognised(types, media, head):
    check_content(TYPES[media], types.recognise(head))


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("media", TYPES)
def test_nothing_else_passes_for_a_kind_that_is_taken(types, name, media):
    with pytest.raises(FileTypeRefused):
        check_content(TYPES[media], types.recognise(STRANGERS[name]))


@pytest.mark.parametrize("media", TYPES)
def test_no_kind_passes_for_another(types, media):
    same = {
        "audio/mp4": {"video/mp4"},
        "video/mp4": {"audio/mp4"},
        "audio/webm": {"video/webm"},
        "video/webm": {"audio/webm"},
    }
    for other in TYPES.keys() - {media} - same.get(media, set()):
        for head in SAMPLES[other]:
            with pytest.raises(FileTypeRefused):
                check_content(TYPES[media], types.recognise(head))


@pytest.mark.parametrize("size", range(24))
def test_a_beginning_that_is_cut_off_harms_nobody(types, size):
    for heads in SAMPLES.values():
        for head in heads:
            types.recognise(head[:size])


@pytest.mark.parametrize(
    ("said", "media"),
    [
        ("image/png", "image/png"),
        ("IMAGE/PNG", "image/png"),
        ("image/jpg", "image/jpeg"),
        ("audio/webm;codecs=opus", "audio/webm"),
        ("audio/x-m4a", "audio/mp4"),
        ("audio/mp3", "audio/mpeg"),
        ("audio/x-wav", "audio/wav"),
    ],
)
def test_browsers_spellings_are_known(said, media):
    assert declared_type(said).media == media


@pytest.mark.parametrize(
    "said",
    [
        "",
        "text/html",
        "image/svg+xml",
        "application/xhtml+xml",
        "application/octet-stream",
        "text/plain",
        "x",
    ],
)
def test_other_kinds_are_refused_with_those_that_are_not(said):
    with pytest.raises(FileTypeRefused, match=r"image/png.*application/pdf"):
        declared_type(said)
