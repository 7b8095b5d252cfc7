"""What orders take from the stock, and what they give back: the one place where the two meet.

Products are locked before they are looked at, in the order of their ids.
"""

from collections.abc import Mapping
from datetime import datetime

from core.catalogue.model import Product
from core.orders.model import Order
from ports.db import Transaction


def reserve(tx: Transaction, order: Order, now: datetime) -> None:
    """Take every line's quantity. Raises OutOfStock; lines of products that are gone take nothing."""
    products = _products(tx, order)
    reserved = [
        product.take(line.quantity, _reason(order), now) if (product := products.get(line.product_id)) else 0
        for line in order.lines
    ]
    order.holds(reserved)
    _save(tx, products)


def reserve_what_is_left(tx: Transaction, order: Order, now: datetime) -> None:
    """Take every line's quantity as far as the stock goes, as for an order that was undone and comes back."""
    products = _products(tx, order)
    reserved = []
    for line in order.lines:
        product = products.get(line.product_id)
        wanted = min(line.quantity, product.stock) if product else 0
        reserved.append(product.take(wanted, _reason(order), now) if product and wanted else 0)
    order.holds(reserved)
    _save(tx, products)


def give_back(tx: Transaction, order: Order, now: datetime) -> None:
    """Put what the order holds back on the shelf. A second time there is nothing left to give."""
    products = _products(tx, order)
    for line in order.lines:
        if line.reserved and (product := products.get(line.product_id)):
            product.give_back(line.reserved, f"{_reason(order)} undone", now)
    order.holds([0] * len(order.lines))
    _save(tx, products)


def _products(tx: Transaction, order: Order) -> dict[str, Product]:
    return tx.products.by_ids({line.product_id for line in order.lines}, lock=True)


def _save(tx: Transaction, products: Mapping[str, Product]) -> None:
    for product in products.values():
        if product.history:
            tx.products.save(product)


def _reason(order: Order) -> str:
    return f"Order {order.number or order.id}"
