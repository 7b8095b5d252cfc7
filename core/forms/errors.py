from core.kernel import DomainError, Kind


class FormNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "form_not_found"
    says = "Form not found"


class FormExists(DomainError):
    """The shop has a form with this id."""

    kind = Kind.CONFLICT
    code = "form_exists"
    says = "A form with this id exists already"


class AnswerRefused(DomainError):
    """Something that a customer has filled in. Facts: `field`, which is the question's label, and `rule`."""

    kind = Kind.INVALID
    code = "invalid_answer"
    says = "{field} {rule}"
