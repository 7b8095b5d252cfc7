"""Refusals because something that Parley stands on is out of reach."""

from core.kernel import DomainError, Kind


class DatabaseDown(DomainError):
    kind = Kind.UNAVAILABLE
    code = "database_down"
    says = "The database is out of reach; try again in a moment"


class SchemaBehind(DomainError):
    kind = Kind.UNAVAILABLE
    code = "schema_behind"
    says = "The database schema is not up to date; run: parley migrate"


class Overloaded(DomainError):
    kind = Kind.UNAVAILABLE
    code = "overloaded"
    says = "Too much at once; try again in a moment"


class SecretUnreadable(DomainError):
    """Stored with a key that is not known any more, or moved: nothing that a caller can mend."""

    kind = Kind.UNAVAILABLE
    code = "secret_unreadable"
    says = "A stored secret can't be read: PARLEY_ENCRYPTION_KEYS lacks the key that it was stored with"
