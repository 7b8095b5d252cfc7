"""Which kinds of files are taken, and what their bytes have to look like."""

from dataclasses import dataclass

from core.files.errors import FileTypeRefused


@dataclass(frozen=True, slots=True)
class FileType:
    """`media` is the name it is served under; `contents` what its bytes may be recognised as."""

    media: str
    extension: str
    contents: frozenset[str]

    @property
    def is_picture(self) -> bool:
        """Browsers show pictures of these kinds without running anything in them."""
        return self.media.startswith("image/")


def _type(media: str, extension: str, *also: str) -> FileType:
    return FileType(media, extension, frozenset({media, *also}))


_TYPES = (
    _type("image/png", "png"),
    _type("image/jpeg", "jpg"),
    _type("image/gif", "gif"),
    _type("image/webp", "webp"),
    _type("video/mp4", "mp4"),
    _type("video/webm", "webm"),
    _type("video/quicktime", "mov"),
    _type("audio/mpeg", "mp3"),
    _type("audio/ogg", "ogg"),
    _type("audio/wav", "wav"),
    # The same containers hold sound alone and sound with pictures; their first bytes don't tell which.
    _type("audio/mp4", "m4a", "video/mp4"),
    _type("audio/webm", "weba", "video/webm"),
    _type("application/pdf", "pdf"),
)
"""No SVG and no HTML: these hold scripts."""

TYPES = {kind.media: kind for kind in _TYPES}

_SYNONYMS = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "video/x-m4v": "video/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "application/x-pdf": "application/pdf",
}


def declared_type(said: str) -> FileType:
    """The kind that an uploader names, as browsers spell it, parameters and all. Raises FileTypeRefused."""
    name = said.partition(";")[0].strip().lower()
    kind = TYPES.get(_SYNONYMS.get(name, name))
    if kind is None:
        raise FileTypeRefused(reason=f"only {', '.join(TYPES)} are")
    return kind


def check_content(kind: FileType, recognised: str | None) -> None:
    """Raises FileTypeRefused unless the bytes are what they were announced as."""
    name = _SYNONYMS.get(recognised or "", recognised)
    if name not in kind.contents:
        looks = f"its content looks like {name}" if name else "its content is of no known kind"
        raise FileTypeRefused(reason=f"{looks}, not like {kind.media}")
