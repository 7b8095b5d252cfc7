"""Email addresses by the rules of RFC 5321, 6531 and 5891, as the library `email-validator` knows them."""

import unicodedata

from core.kernel import Invalid

LIMIT = 254


class ValidEmails:
    """Satisfies ports.emails.Emails."""

    def normal(self, email: str) -> str:
        from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - at the first sign-in

        try:
            found = validate_email(email.strip(), check_deliverability=False, strict=True)
        except EmailNotValidError as error:
            raise Invalid(field="email", rule=f"must be an email address: {_reason(error)}") from None
        # Mail servers may tell upper from lower case before the @, and none does.
        normal = unicodedata.normalize("NFC", found.normalized.lower())
        if len(normal) > LIMIT:
            raise Invalid(field="email", rule=f"may have at most {LIMIT} characters")
        return normal


def _reason(error: Exception) -> str:
    """The library's sentence without its end, so that it can stand in one of ours."""
    sentence = str(error).rstrip(".")
    return sentence[:1].lower() + sentence[1:200]
