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
