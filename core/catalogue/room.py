"""How much a shop's products may hold in all."""

from core.catalogue.model import PICTURES_LIMIT, PRODUCTS_LIMIT, Product
from core.kernel import Invalid
from core.pictures import is_inline
from ports.db import Transaction


def check_room(tx: Transaction, stored: Product) -> None:
    """Look whether this product, which was just stored, was one too many. Raises Invalid."""
    if stored.version == 0 and tx.products.count() > PRODUCTS_LIMIT:
        raise Invalid(field="products", rule=f"may be at most {PRODUCTS_LIMIT} per shop")
    if is_inline(stored.image_url or "") and tx.products.inline_length() > PICTURES_LIMIT:
        rule = f"would be more than {PICTURES_LIMIT} characters of pictures in this shop: send a web address"
        raise Invalid(field="image_url", rule=rule)
