from core.kernel import DomainError, Kind


class SiteNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "site_not_found"
    says = "Site not found"


class HostTaken(DomainError):
    """Somebody's site has this host, or a wildcard that it falls under: pages tell their shop by the host."""

    kind = Kind.CONFLICT
    code = "host_taken"
    says = "One of these hosts belongs to another site already"
