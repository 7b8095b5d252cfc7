"""Who may do what in a shop: the one table that every dialect asks."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    ORDER_MANAGER = "order_manager"
    SUPPORT_AGENT = "support_agent"


class Permission(StrEnum):
    VIEW_DASHBOARD = "view_dashboard"
    VIEW_INBOX = "view_inbox"
    VIEW_LIVE_CHAT = "view_live_chat"
    VIEW_ORDERS = "view_orders"
    MANAGE_ORDERS = "manage_orders"
    VIEW_SETTINGS = "view_settings"
    VIEW_PRODUCTS = "view_products"
    MANAGE_PRODUCTS = "manage_products"
    MANAGE_SETTINGS = "manage_settings"
    VIEW_ACCOUNTANT = "view_accountant"
    MANAGE_ACCOUNTANT = "manage_accountant"
    MANAGE_TEAM = "manage_team"
    MANAGE_INTEGRATIONS = "manage_integrations"
    MANAGE_SUBSCRIPTION = "manage_subscription"
    VIEW_BILLING_HISTORY = "view_billing_history"
    DELETE_SHOP = "delete_shop"


_EVERY_MEMBER = frozenset(
    {
        Permission.VIEW_DASHBOARD,
        Permission.VIEW_INBOX,
        Permission.VIEW_LIVE_CHAT,
        Permission.VIEW_ORDERS,
        Permission.MANAGE_ORDERS,
        Permission.VIEW_SETTINGS,
    }
)
_MANAGERS = _EVERY_MEMBER | {Permission.VIEW_PRODUCTS, Permission.MANAGE_PRODUCTS, Permission.MANAGE_SETTINGS}
_ADMINS = _MANAGERS | {
    Permission.VIEW_ACCOUNTANT,
    Permission.MANAGE_ACCOUNTANT,
    Permission.MANAGE_TEAM,
    Permission.MANAGE_INTEGRATIONS,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(_ADMINS),
    Role.ORDER_MANAGER: frozenset(_MANAGERS),
    Role.SUPPORT_AGENT: _EVERY_MEMBER,
}


def may(role: Role, permission: Permission) -> bool:
    return permission in PERMISSIONS[role]


def may_assign(by: Role, role: Role) -> bool:
    """Nobody assigns Owner; an Admin may not make another Admin."""
    if role is Role.OWNER or not may(by, Permission.MANAGE_TEAM):
        return False
    return by is Role.OWNER or role is not Role.ADMIN


def may_take(by: Role, role: Role) -> bool:
    """Whoever may give a role may take it away, and nobody else: an Admin may not unmake an Admin."""
    return may_assign(by, role)


def may_reassign(by: Role, current: Role, wanted: Role) -> bool:
    return may_take(by, current) and may_assign(by, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a caller is to one shop. A platform admin is as good as the owner in every shop.

    `user_id` is None for the shop's own server, which holds the shop's admin key and stands as an Admin.
    """

    role: Role
    is_platform_admin: bool = False
    user_id: str | None = None

    def may(self, permission: Permission) -> bool:
        return may(self.role, permission)
