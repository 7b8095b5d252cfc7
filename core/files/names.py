"""What files are called: a label for people, and a name that is safe in an address."""

import re
import unicodedata

from core.conversations.messages import FILE_NAME_LIMIT
from core.files.types import FileType

STEM_LIMIT = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")


def cleaned_name(said: str, kind: FileType) -> str:
    """The last part of what may be a path, without characters that hide or turn round what follows them."""
    last = re.split(r"[/\\]", said)[-1]
    shown = "".join(" " if _is_invisible(character) else character for character in last)
    name = " ".join(shown.split()).lstrip(".").strip()
    if len(name) > FILE_NAME_LIMIT:
        stem, dot, extension = name.rpartition(".")
        kept = extension[:16] if dot else ""
        name = (stem or name)[: FILE_NAME_LIMIT - len(kept) - 1] + dot + kept
    return name or f"file.{kind.extension}"


def address_name(name: str, kind: FileType) -> str:
    """Letters, digits and an ending that says what the file is, whatever it calls itself."""
    stem = name.rpartition(".")[0] or name
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    safe = _UNSAFE.sub("-", plain)[:STEM_LIMIT].strip("-")
    return f"{safe or 'file'}.{kind.extension}"


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
