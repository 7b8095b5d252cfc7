"""Who looks after the platform: above all shops, and appointed by each other."""

from core.identity.model import User
from core.kernel import Forbidden, UserActor
from ports.db import Transaction

PLATFORM_ADMIN = "platform_admin"
"""What refusals call it beside the permissions that people have in a shop."""


def is_platform_admin(tx: Transaction, actor: UserActor) -> bool:
    user = tx.users.find(actor.user_id)
    return user is not None and user.is_admin


def require_platform_admin(tx: Transaction, actor: UserActor) -> User:
    """Raises Forbidden."""
    user = tx.users.find(actor.user_id)
    if user is None or not user.is_admin:
        raise Forbidden(permission=PLATFORM_ADMIN)
    return user
