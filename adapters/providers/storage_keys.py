"""What a storage takes for a key: nothing in it can lead out of the place where files are."""

import re

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}(/[A-Za-z0-9_-]{1,128}){0,3}")


def checked(key: str) -> str:
    """Raises ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError("a key has letters, digits, hyphens and underscores, in parts between slashes")
    return key
