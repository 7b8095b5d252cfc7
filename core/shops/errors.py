from core.kernel import DomainError, Kind


class ShopNotFound(DomainError):
    """No such shop, or not one that the caller may know of."""

    kind = Kind.NOT_FOUND
    code = "shop_not_found"
    says = "Shop not found"


class UnknownShopKey(DomainError):
    kind = Kind.UNAUTHENTICATED
    code = "invalid_api_key"
    says = "This API key belongs to no shop"


class AlreadyMember(DomainError):
    kind = Kind.CONFLICT
    code = "already_member"
    says = "This person is in the team already"
