"""What browsers are told of files, by their names: what they are and for how long they stay the same.

A table of our own: what the machine's says differs from machine to machine.
"""

import re
from pathlib import PurePosixPath

OTHER = b"application/octet-stream"
KINDS = {
    "avif": b"image/avif",
    "bmp": b"image/bmp",
    "css": b"text/css; charset=utf-8",
    "csv": b"text/csv; charset=utf-8",
    "eot": b"application/vnd.ms-fontobject",
    "gif": b"image/gif",
    "gz": b"application/gzip",
    "htm": b"text/html; charset=utf-8",
    "html": b"text/html; charset=utf-8",
    "ico": b"image/x-icon",
    "jpeg": b"image/jpeg",
    "jpg": b"image/jpeg",
    "js": b"text/javascript; charset=utf-8",
    "json": b"application/json; charset=utf-8",
    "m4a": b"audio/mp4",
    "map": b"application/json; charset=utf-8",
    "md": b"text/markdown; charset=utf-8",
    "mjs": b"text/javascript; charset=utf-8",
    "mp3": b"audio/mpeg",
    "mp4": b"video/mp4",
    "oga": b"audio/ogg",
    "ogg": b"audio/ogg",
    "otf": b"font/otf",
    "pdf": b"application/pdf",
    "png": b"image/png",
    "svg": b"image/svg+xml",
    "ttf": b"font/ttf",
    "txt": b"text/plain; charset=utf-8",
    "wasm": b"application/wasm",
    "wav": b"audio/wav",
    "webm": b"video/webm",
    "webmanifest": b"application/manifest+json",
    "webp": b"image/webp",
    "woff": b"font/woff",
    "woff2": b"font/woff2",
    "xml": b"application/xml; charset=utf-8",
    "zip": b"application/zip",
}

_HASHED = re.compile(r".+[-.](?:([A-Za-z0-9_-]{8})|([0-9a-f]{9,64}))\.[A-Za-z0-9]+(?:\.map)?")
_WORDS = re.compile(r"[0-9]+|[a-z_-]+|[A-Z_-]+|(?:[A-Z][a-z]+)+")


def kind_of(name: str) -> bytes:
    return KINDS.get(_ending(name), OTHER)


def is_known_kind(name: str) -> bool:
    return _ending(name) in KINDS


def is_hashed(name: str) -> bool:
    """Whether a bundler has put a digest of the content into the name, so that it never means another one.

    A digest looks like no word, no date and no number; one that happens to is fetched anew, no more.
    """
    path = PurePosixPath(name)
    match = _HASHED.fullmatch(path.name)
    if match is None or len(path.parts) < 2:
        return False
    return _WORDS.fullmatch(match[1] or match[2]) is None


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix[1:].lower()
