"""Checks the shop that a transaction is opened for: it often comes straight from a path or a frame."""

import re

from core.shops.errors import ShopNotFound
from ports.db import SYSTEM, Scope

_SHOP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
EVERY_SHOP = "*"
"""What the row-level policies on Postgres take for the system's own work; no shop can have this id."""


def checked(scope: Scope) -> Scope:
    """An id that can't be one belongs to no shop. Raises ShopNotFound."""
    if scope is not SYSTEM and not _SHOP_ID.fullmatch(scope):
        raise ShopNotFound
    return scope
