"""Recognises files by how they begin, with puremagic's tables and what these lack."""

import re
import struct

import puremagic

_BRANDS = {
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4V ": "video/mp4",
    b"avc1": "video/mp4",
    b"dash": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"qt  ": "video/quicktime",
}
_ISO_BRAND = re.compile(rb"iso[2-9m]")


class PureMagicTypes:
    """Satisfies ports.filetypes.FileTypes."""

    def recognise(self, head: bytes) -> str | None:
        return _iso_media(head) or _mpeg_audio(head) or _known(head)


def _known(head: bytes) -> str | None:
    """The most certain of puremagic's guesses that has a name."""
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    return next((str(guess.mime_type) for guess in found if guess.mime_type), None)


def _iso_media(head: bytes) -> str | None:
    """MP4 and its kin (ISO 14496-12): a first box `ftyp` that names a brand. puremagic knows few of them."""
    if len(head) < 16 or head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    return _BRANDS.get(brand) or ("video/mp4" if _ISO_BRAND.fullmatch(brand) else None)


def _mpeg_audio(head: bytes) -> str | None:
    """A frame of MPEG audio, layer III (ISO 11172-3), without a tag; puremagic knows one of its kinds."""
    if len(head) < 4:
        return None
    (frame,) = struct.unpack(">I", head[:4])
    is_layer_3 = frame >> 21 == 0x7FF and frame >> 17 & 3 == 1 and frame >> 19 & 3 != 1
    has_rates = frame >> 12 & 15 not in {0, 15} and frame >> 10 & 3 != 3
    return "audio/mpeg" if is_layer_3 and has_rates else None
