from core.kernel import DomainError, Kind


class EmailTaken(DomainError):
    kind = Kind.CONFLICT
    code = "email_taken"
    says = "An account with this email exists already"


class UsernameTaken(DomainError):
    kind = Kind.CONFLICT
    code = "username_taken"
    says = "This username is taken"


class WrongCredentials(DomainError):
    """The same for an unknown account and a wrong password."""

    kind = Kind.UNAUTHENTICATED
    code = "wrong_credentials"
    says = "Invalid email or password"


class NotSignedIn(DomainError):
    kind = Kind.UNAUTHENTICATED
    code = "not_signed_in"
    says = "Sign in first"


class BadToken(DomainError):
    """A token is there but is no good: forged, lapsed, or made for another purpose."""

    kind = Kind.FORBIDDEN
    code = "bad_token"
    says = "The token is invalid or has expired"


class BadRefreshToken(DomainError):
    kind = Kind.UNAUTHENTICATED
    code = "bad_refresh_token"
    says = "The refresh token is invalid, used up or expired; sign in again"


class UserNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "user_not_found"
    says = "User not found"


class NotYourAccount(DomainError):
    kind = Kind.FORBIDDEN
    code = "not_your_account"
    says = "Everybody changes their own account only"


class LastAdmin(DomainError):
    kind = Kind.CONFLICT
    code = "last_admin"
    says = "The last platform admin can't be revoked: appoint another one first"
