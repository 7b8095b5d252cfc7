"""Figures of a shop, in its own days and its own currency."""

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.wire.analytics import (
    ConversationsOut,
    FormsOut,
    OrdersOut,
    OverviewOut,
    PeriodQuery,
    ProductsOut,
    RevenueOut,
    RevenueQuery,
)
from adapters.wire.base import Data, data
from adapters.wire.figures import (
    conversations_out,
    forms_out,
    orders_out,
    overview_out,
    products_out,
    revenue_out,
)
from core.application import AnalyticsUseCases
from core.kernel import Agent
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission

DASHBOARD = agent(Permission.VIEW_DASHBOARD)
ACCOUNTS = agent(Permission.VIEW_ACCOUNTANT)
NO_SHOP = (ShopNotFound,)


def blueprint(analytics: AnalyticsUseCases) -> Blueprint:
    routes = Blueprint("analytics", __name__, url_prefix="/api/shops/<id:shop_id>/analytics")

    @routes.get("/overview")
    @endpoint(access=DASHBOARD, query=PeriodQuery, returns=Data[OverviewOut], raises=NO_SHOP)
    async def overview(actor: Agent, shop_id: str, query: PeriodQuery) -> Data[OverviewOut]:
        """Sum up a shop's last days.

        Days are those of the shop's time zone. Revenue counts completed orders, on the day they were placed.
        """
        return data(overview_out(await analytics.overview(actor=actor, shop_id=shop_id, when=query.when())))

    @routes.get("/orders")
    @endpoint(access=DASHBOARD, query=PeriodQuery, returns=Data[OrdersOut], raises=NO_SHOP)
    async def orders(actor: Agent, shop_id: str, query: PeriodQuery) -> Data[OrdersOut]:
        """Count the orders by status and by day. Those in other currencies are counted, and listed apart."""
        return data(orders_out(await analytics.orders(actor=actor, shop_id=shop_id, when=query.when())))

    @routes.get("/products")
    @endpoint(access=DASHBOARD, query=PeriodQuery, returns=Data[ProductsOut], raises=NO_SHOP)
    async def products(actor: Agent, shop_id: str, query: PeriodQuery) -> Data[ProductsOut]:
        """List what sold best in completed orders, by revenue before discounts and by quantity."""
        return data(products_out(await analytics.products(actor=actor, shop_id=shop_id, when=query.when())))

    @routes.get("/forms")
    @endpoint(access=DASHBOARD, query=PeriodQuery, returns=Data[FormsOut], raises=NO_SHOP)
    async def forms(actor: Agent, shop_id: str, query: PeriodQuery) -> Data[FormsOut]:
        """Count what came in through each form."""
        return data(forms_out(await analytics.forms(actor=actor, shop_id=shop_id, when=query.when())))

    @routes.get("/conversations")
    @endpoint(access=DASHBOARD, query=PeriodQuery, returns=Data[ConversationsOut], raises=NO_SHOP)
    async def conversations(actor: Agent, shop_id: str, query: PeriodQuery) -> Data[ConversationsOut]:
        """Count the conversations that began, the messages in all of them, and how soon people answered."""
        figures = await analytics.conversations(actor=actor, shop_id=shop_id, when=query.when())
        return data(conversations_out(figures))

    @routes.get("/revenue")
    @endpoint(access=ACCOUNTS, query=RevenueQuery, returns=Data[RevenueOut], raises=NO_SHOP)
    async def revenue(actor: Agent, shop_id: str, query: RevenueQuery) -> Data[RevenueOut]:
        """Sum up revenue, costs, expenses and profits, by day, week or month.

        Revenue and profit are net of discounts. Where the cost of a product is not known, all of its price is
        profit. Expenses are those of the shop's settings.
        """
        figures = await analytics.revenue(
            actor=actor, shop_id=shop_id, when=query.when(), bucket=query.bucket()
        )
        return data(revenue_out(figures))

    return routes
