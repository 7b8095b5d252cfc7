"""Finds out what the caller is to the transaction's shop, and whether that is enough."""

from core.kernel import Agent, Forbidden, ShopKeyActor
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission, Role, may
from ports.db import Transaction


def role_in_shop(tx: Transaction, actor: Agent, shop_id: str) -> Role:
    """The caller's role. Raises ShopNotFound for strangers: they don't learn that the shop exists."""
    if isinstance(actor, ShopKeyActor):
        if actor.shop_id != shop_id:
            raise ShopNotFound
        return Role.ADMIN
    member = tx.members.get(actor.user_id)
    if member is not None:
        return member.role
    user = tx.users.find(actor.user_id)
    if user is None or not user.is_admin:
        raise ShopNotFound
    tx.shops.get()
    return Role.OWNER


def require(tx: Transaction, actor: Agent, shop_id: str, permission: Permission) -> Role:
    """Raises ShopNotFound or Forbidden."""
    role = role_in_shop(tx, actor, shop_id)
    if not may(role, permission):
        raise Forbidden(permission=permission.value)
    return role
