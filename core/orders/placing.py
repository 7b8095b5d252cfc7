"""What every way of placing an order has in common."""

from datetime import datetime

from core.conversations.events import AgentsNotified
from core.orders import numbers
from core.orders.model import Order
from core.orders.stocking import reserve, reserve_what_is_left
from ports.db import Transaction


def free_number(tx: Transaction, *, booking: bool = False) -> str:
    """The shop's next order number that nobody has made up before. Others of the shop wait for this."""
    name = tx.shops.get().name
    while True:
        number = numbers.numbered(name, tx.orders.next_number(), booking=booking)
        if tx.orders.is_number_free(number):
            return number


def place(tx: Transaction, order: Order, now: datetime, *, takes_what_is_left: bool = False) -> None:
    """Reserve the stock, store the order, and say so.

    Raises OutOfStock, unless it `takes_what_is_left`, as when the goods are over the counter already;
    OrderExists or NumberTaken.
    """
    if not order.status.is_undone:
        take = reserve_what_is_left if takes_what_is_left else reserve
        take(tx, order, now)
    order.placed()
    tx.orders.add(order)
    announce(tx, order)


def announce(tx: Transaction, order: Order) -> None:
    """Tell the shop's people of a new order."""
    number, name = order.number or order.id, order.customer_name
    tx.record(
        AgentsNotified(
            title="New order",
            message=f"{number} from {name}" if name else number,
            level="info",
            conversation_id=order.conversation_id,
            order_id=order.id,
        )
    )
