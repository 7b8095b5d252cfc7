from core.kernel import DomainError, Kind


class OrderNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "order_not_found"
    says = "Order not found"


class OrderExists(DomainError):
    """The shop has an order with this id."""

    kind = Kind.CONFLICT
    code = "order_exists"
    says = "An order with this id exists already"


class NumberTaken(DomainError):
    """Another order of the shop has this number."""

    kind = Kind.CONFLICT
    code = "order_number_taken"
    says = "Another order has this number"


class OfferUnclear(DomainError):
    """Nothing that the shop offers is called so, or more than one thing might be meant."""

    kind = Kind.INVALID
    code = "offer_unclear"
    says = "It is not clear what is meant by {name}. There is: {candidates}"
