"""What becomes of an order: the one place where its changes and the stock are kept in step.

The order has to be locked. Products are locked after it, in the order of their ids.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.orders.events import OrderDeleted
from core.orders.model import Order, OrderChanges, OrderLine, OrderStatus
from core.orders.stocking import give_back, reserve_what_is_left
from ports.db import Transaction


def change_order(
    tx: Transaction, order: Order, changes: OrderChanges, now: datetime, *, takes_what_is_left: bool = False
) -> bool:
    """Apply the changes with what they mean for the stock, store them, and say whether anything differed.

    Any status may follow any other. An order that is cancelled or returned gives back what it holds, once;
    one that comes back from there takes what is left. Lines that grow take the difference: Raises OutOfStock,
    unless it `takes_what_is_left`. Raises Invalid.
    """
    wanted = changes.copy()
    undone, becomes_undone = order.status.is_undone, wanted.get("status", order.status).is_undone
    if "lines" in wanted and _is_same(order.lines, wanted["lines"]):
        del wanted["lines"]
    if becomes_undone and not undone:
        give_back(tx, order, now)
    elif "lines" in wanted and not undone:
        wanted["lines"] = _exchanged(tx, order, wanted["lines"], now, takes_what_is_left)
    if not order.change(wanted):
        return False
    if undone and not becomes_undone:
        reserve_what_is_left(tx, order, now)
    tx.orders.save(order)
    return True


def delete_order(tx: Transaction, order: Order, now: datetime) -> None:
    """Remove it. What it holds goes back on the shelf, unless it was completed: then the goods are gone."""
    if order.status is not OrderStatus.COMPLETED:
        give_back(tx, order, now)
    tx.orders.delete(order)
    tx.record(OrderDeleted(order_id=order.id))


def _is_same(lines: Sequence[OrderLine], wanted: Sequence[OrderLine]) -> bool:
    return [replace(line, reserved=0) for line in lines] == [replace(line, reserved=0) for line in wanted]


def _exchanged(
    tx: Transaction, order: Order, wanted: Sequence[OrderLine], now: datetime, takes_what_is_left: bool
) -> tuple[OrderLine, ...]:
    """The new lines with what they hold, once the stock has taken back, or given, the difference."""
    held, before, after = Counter[str](), Counter[str](), Counter[str]()
    for line in order.lines:
        held[line.product_id] += line.reserved
        before[line.product_id] += line.quantity
    for line in wanted:
        after[line.product_id] += line.quantity
    reason = f"Order {order.number or order.id} changed"
    products = tx.products.by_ids({*before, *after}, lock=True)
    for product_id, product in products.items():
        left_over = held[product_id] - after[product_id]
        more = after[product_id] - before[product_id]
        if left_over > 0:
            product.give_back(left_over, reason, now)
            held[product_id] -= left_over
        elif more > 0:
            count = min(more, product.stock) if takes_what_is_left else more
            held[product_id] += product.take(count, reason, now)
        if product.history:
            tx.products.save(product)
    return tuple(_holding(line, held) for line in wanted)


def _holding(line: OrderLine, held: Counter[str]) -> OrderLine:
    count = min(held[line.product_id], line.quantity)
    held[line.product_id] -= count
    return replace(line, reserved=count)
