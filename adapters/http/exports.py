"""Whole tables as CSV, written while they are read."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.http.errors import Header
from adapters.http.reply import Streamed
from adapters.wire import tables
from adapters.wire.analytics import ExportQuery
from core.application import ExportUseCases
from core.exports.use_cases import Export
from core.kernel import Agent
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission

CSV = b"text/csv; charset=utf-8"
NO_SHOP = (ShopNotFound,)
Rows = Callable[[Iterable[Any], Export], list[list[tables.Cell]]]


def blueprint(exports: ExportUseCases) -> Blueprint:
    routes = Blueprint("exports", __name__, url_prefix="/api/shops/<id:shop_id>/export")

    @routes.get("/orders.csv")
    @endpoint(access=agent(Permission.VIEW_ORDERS), query=ExportQuery, returns=None, raises=NO_SHOP)
    async def orders(actor: Agent, shop_id: str, query: ExportQuery) -> Streamed:
        """Give all orders as CSV, the oldest first, with a column for each label that customers answered.

        Cells that spreadsheets would take for formulas begin with an apostrophe.
        """
        first, last = query.dates()
        export = await exports.begin(
            actor=actor,
            shop_id=shop_id,
            permission=Permission.VIEW_ORDERS,
            first=first,
            last=last,
            with_labels=True,
        )
        pages, columns = exports.read.orders(export), tables.order_columns(export)
        return _table("orders", columns, pages, tables.order_rows, export, bom=query.bom)

    @routes.get("/products.csv")
    @endpoint(access=agent(Permission.VIEW_PRODUCTS), query=ExportQuery, returns=None, raises=NO_SHOP)
    async def products(actor: Agent, shop_id: str, query: ExportQuery) -> Streamed:
        """Give all products as CSV."""
        first, last = query.dates()
        export = await exports.begin(
            actor=actor, shop_id=shop_id, permission=Permission.VIEW_PRODUCTS, first=first, last=last
        )
        pages = exports.read.products(export)
        return _table("products", tables.PRODUCT_COLUMNS, pages, tables.product_rows, export, bom=query.bom)

    @routes.get("/conversations.csv")
    @endpoint(access=agent(Permission.VIEW_INBOX), query=ExportQuery, returns=None, raises=NO_SHOP)
    async def conversations(actor: Agent, shop_id: str, query: ExportQuery) -> Streamed:
        """Give all conversations as CSV, without their messages."""
        first, last = query.dates()
        export = await exports.begin(
            actor=actor, shop_id=shop_id, permission=Permission.VIEW_INBOX, first=first, last=last
        )
        pages, columns = exports.read.conversations(export), tables.CONVERSATION_COLUMNS
        return _table("conversations", columns, pages, tables.conversation_rows, export, bom=query.bom)

    return routes


def _table(
    name: str,
    columns: Sequence[str],
    pages: AsyncIterator[Sequence[Any]],
    rows: Rows,
    export: Export,
    *,
    bom: bool,
) -> Streamed:
    async def content() -> AsyncGenerator[bytes, None]:
        yield (tables.BOM.encode() if bom else b"") + tables.written([columns])
        async for page in pages:
            yield tables.written(rows(page, export))

    named: Header = (b"content-disposition", f'attachment; filename="{name}.csv"'.encode())
    return Streamed(200, content(), None, (named,), media=CSV)
