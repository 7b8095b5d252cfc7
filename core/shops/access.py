"""Finds out what the caller is to the transaction's shop, and whether that is enough."""

from core.kernel import Agent, Forbidden, ShopKeyActor
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission, Role, Standing, may
from ports.db import Transaction

__all__ = ["Standing", "allows", "require", "role_in_shop", "standing_in_shop"]


def standing_in_shop(tx: Transaction, actor: Agent, shop_id: str) -> Standing:
    """Raises ShopNotFound for strangers: they don't learn that the shop exists."""
    if isinstance(actor, ShopKeyActor):
        if actor.shop_id != shop_id:
            raise ShopNotFound
        return Standing(role=Role.ADMIN)
    member, user = tx.members.get(actor.user_id), tx.users.find(actor.user_id)
    if user is not None and user.is_admin:
        tx.shops.get()
        return Standing(role=Role.OWNER, is_platform_admin=True, user_id=user.id)
    if member is None:
        raise ShopNotFound
    return Standing(role=member.role, user_id=actor.user_id)


def role_in_shop(tx: Transaction, actor: Agent, shop_id: str) -> Role:
    """The caller's role; a platform admin is an Owner everywhere. Raises ShopNotFound for strangers."""
    return standing_in_shop(tx, actor, shop_id).role


def require(tx: Transaction, actor: Agent, shop_id: str, permission: Permission) -> None:
    """Raises ShopNotFound or Forbidden. Asks for no more than the team's row while that is enough."""
    if not isinstance(actor, ShopKeyActor):
        member = tx.members.get(actor.user_id)
        if member is not None and may(member.role, permission):
            return
    if not standing_in_shop(tx, actor, shop_id).may(permission):
        raise Forbidden(permission=permission.value)


def allows(tx: Transaction, actor: Agent | None, shop_id: str, permission: Permission) -> bool:
    """Whether the caller may, where others are shown less instead of being refused."""
    if actor is None:
        return False
    try:
        require(tx, actor, shop_id, permission)
    except (ShopNotFound, Forbidden):
        return False
    return True
