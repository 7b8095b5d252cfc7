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


class MemberNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "member_not_found"
    says = "This person is not in the team"


class OwnerStays(DomainError):
    """The owner's own entry in the team is no one's to change, the owner's included."""

    kind = Kind.CONFLICT
    code = "owner_stays"
    says = "The owner can be neither removed from the team nor given another role"


class NothingPending(DomainError):
    kind = Kind.CONFLICT
    code = "nothing_pending"
    says = "This shop's subscription does not wait for an approval"
