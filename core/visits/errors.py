from core.kernel import DomainError, Invalid, Kind


class BadSessionId(Invalid):
    code = "invalid_session"


class SessionTaken(DomainError):
    """There is a session with this id already: this shop's own, from a moment ago, or another shop's."""

    kind = Kind.CONFLICT
    code = "session_taken"
    says = "This session id is used already"


class IdentityNotProved(DomainError):
    """Somebody is said to be a known person, and what should prove it does not."""

    kind = Kind.UNAUTHENTICATED
    code = "invalid_identity"
    says = "The proof of this userId is not valid: {reason}"


class NoIdentitySecret(DomainError):
    kind = Kind.NOT_FOUND
    code = "no_identity_secret"
    says = "This shop has no identity secret yet; make one"
