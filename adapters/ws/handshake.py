"""The request that asks for a socket."""

from urllib.parse import parse_qsl

from adapters.ws.asgi import Scope

FIELDS_LIMIT = 50


class Handshake:
    """Takes the query string out of the scope: it may hold a token, and servers log what they find there."""

    __slots__ = ("_scope", "query")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        raw = scope.get("query_string", b"").decode("latin-1")
        scope["query_string"] = b""
        self.query = _parsed(raw)
        """The first value of each name; empty ones are absent."""

    @property
    def path(self) -> str:
        path: str = self._scope["path"]
        return path

    @property
    def origin(self) -> str | None:
        """The page that a browser connects for."""
        return self._header(b"origin")

    @property
    def bearer(self) -> str | None:
        scheme, _, token = (self._header(b"authorization") or "").partition(" ")
        return (token.strip() or None) if scheme.lower() == "bearer" else None

    def cookie(self, name: str) -> str | None:
        """Read leniently: other cookies of the same host may look like anything."""
        for pair in "; ".join(self._values(b"cookie")).split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value.strip('"') or None
        return None

    def _header(self, name: bytes) -> str | None:
        values = self._values(name)
        return values[-1] if values else None

    def _values(self, name: bytes) -> list[str]:
        return [value.decode("latin-1") for key, value in self._scope["headers"] if key.lower() == name]


def _parsed(raw: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw, max_num_fields=FIELDS_LIMIT)
    except ValueError:
        return {}
    return dict(reversed(pairs))
