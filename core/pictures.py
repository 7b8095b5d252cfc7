"""Addresses of pictures as clients send them: on the web, or the picture itself as a `data:` URL."""

import re
from base64 import b64decode

from core.kernel import Invalid

_SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
"""How pictures begin: what a file calls itself is no proof."""

_DATA_URL = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,([A-Za-z0-9+/]+)={0,2}")
_WEB_URL = re.compile(r"https?://[^\s\x00-\x1f\"<>\\]{1,2000}")
_IN_BASE64 = 4 / 3
_HEADER = len("data:image/jpeg;base64,")


def is_inline(url: str) -> bool:
    return url.startswith("data:")


def is_web_address(url: str) -> bool:
    return _WEB_URL.fullmatch(url) is not None


def is_inline_picture(url: str) -> bool:
    """Whether it is a `data:` URL of a PNG, JPEG, GIF or WebP picture, by its first bytes."""
    match = _DATA_URL.fullmatch(url)
    if match is None:
        return False
    signature = _SIGNATURES.get(match[1])
    return signature is not None and signature.match(b64decode(match[2][:16] + "==")) is not None


def checked_picture(url: str, *, field: str, limit: int) -> str:
    """The address of a picture, of at most `limit` bytes if it is inline. Raises Invalid."""
    if not is_inline(url):
        if not is_web_address(url):
            raise Invalid(field=field, rule="must be an http(s) address or a data: URL of a picture")
        return url
    if len(url) > limit * _IN_BASE64 + _HEADER + 2:
        raise Invalid(field=field, rule=f"may have at most {limit} bytes as a data: URL")
    if not is_inline_picture(url):
        raise Invalid(field=field, rule="as a data: URL must be a base64 PNG, JPEG, GIF or WebP picture")
    return url
