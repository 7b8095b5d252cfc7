"""Origins of web pages, in the form in which browsers send them."""

from urllib.parse import urlsplit

from core.kernel import Invalid
from core.shops.model import checked_origin


def own_origin(base_url: str) -> str:
    """That of the pages which this server serves itself."""
    parts = urlsplit(base_url)
    return normal(f"{parts.scheme}://{parts.netloc}")


def normal(origin: str) -> str:
    """As a setting means it: in lower case, without default port or slash."""
    try:
        return checked_origin(origin)
    except Invalid:
        return origin.strip().rstrip("/")
