"""Names, prices and costs of what is ordered: those that the document says, else those of the catalogue."""

from collections.abc import Sequence

from core.catalogue.errors import ProductNotFound
from core.catalogue.model import Product
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

    `known`: the order's lines so far, whose costs stay what they were. `lock` the products, if their stock
    is going to be taken. Raises Invalid, or ProductNotFound for
    a product that is gone and whose name or price nobody has said.
    """
    products = tx.products.by_ids({line.product_id for line in wanted}, lock=lock)
    costs = {line.product_id: line.unit_cost_minor for line in known}
    # What the catalogue says is in the shop's currency, and no order of another one can take it.
    is_ours = not products or tx.shops.get().currency == currency
    return checked_lines(
        _line(line, products.get(line.product_id), costs, is_ours=is_ours) for line in wanted
    )


def _line(
    wanted: LineDocument, product: Product | None, costs: dict[str, int | None], *, is_ours: bool
) -> OrderLine:
    name = wanted.product_name or (product.name if product else None)
    price = wanted.unit_price_minor
    if price is None and product is not None and is_ours:
        price = product.selling_price_minor
    if name is None or price is None:
        raise ProductNotFound
    cost = product.cost_minor if product and is_ours else None
    return OrderLine(
        product_id=wanted.product_id,
        product_name=name,
        quantity=wanted.quantity,
        unit_price_minor=price,
        unit_cost_minor=costs.get(wanted.product_id, cost),
    )
