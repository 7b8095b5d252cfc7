"""Names, prices and costs of what is ordered: those that the document says, else those of the catalogue."""

from collections.abc import Sequence

from core.catalogue.errors import ProductNotFound
from core.catalogue.model import Product
from core.kernel import Invalid
from core.orders.documents import LineDocument
from core.orders.model import OrderLine, checked_lines
from ports.db import Transaction


def priced(
    tx: Transaction,
    wanted: Sequence[LineDocument],
    currency: str,
    *,
    known: Sequence[OrderLine] = (),
    lock: bool = False,
) -> tuple[OrderLine, ...]:
    """Lines in minor units of `currency`. Nothing is reserved yet.

    `known`: the order's lines so far, whose costs stay what they were, and whose names and prices count where
    the catalogue can't say any. `lock` the products, if their stock is going to be taken. Raises Invalid, or
    ProductNotFound for a product that is gone and whose name or price nobody has said.
    """
    products = tx.products.by_ids({line.product_id for line in wanted}, lock=lock)
    before = {line.product_id: line for line in known}
    # What the catalogue says is in the shop's currency, and no order of another one can take it.
    foreign = currency if products and tx.shops.get().currency != currency else None
    return checked_lines(
        _line(line, products.get(line.product_id), before.get(line.product_id), foreign) for line in wanted
    )


def _line(
    wanted: LineDocument, product: Product | None, before: OrderLine | None, foreign: str | None
) -> OrderLine:
    """`foreign`: the order's currency, where it is not the catalogue's."""
    prices = None if foreign else product
    name, price = wanted.product_name, wanted.unit_price_minor
    if name is None:
        name = product.name if product else before.product_name if before else None
    if price is None:
        price = prices.selling_price_minor if prices else before.unit_price_minor if before else None
    if price is None and product is not None:
        raise Invalid(field="lines.unit_price", rule=f"must be said in {foreign}, which the order is in")
    if name is None or price is None:
        raise ProductNotFound
    return OrderLine(
        product_id=wanted.product_id,
        product_name=name,
        quantity=wanted.quantity,
        unit_price_minor=price,
        unit_cost_minor=before.unit_cost_minor if before else prices.cost_minor if prices else None,
    )
