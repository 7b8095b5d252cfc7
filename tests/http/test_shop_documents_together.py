"""Two pages that type at once, and customers who order and write meanwhile, in every order of arrival.

The model is what people would expect: of a field, the last change of somebody's counts; everything that
anybody added is there once; everything that somebody was shown and took away is gone.
"""

import asyncio
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.db.factory import open_database
from adapters.db.transaction import Context
from adapters.providers.memory import ManualClock
from adapters.providers.system import RandomIds
from core.shops.policy import Role
from tests import builders
from tests.databases import START
from tests.http.owner_page import Page
from tests.http.stand import Api, Stand

FIELDS = ("quickNote", "paymentIntroMessage", "paymentButtonText")
STOCK = 1_000

_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
_by_page = st.tuples(
    st.integers(0, 1), st.sampled_from(["type", "todo", "price", "sell", "status", "drop", "say"])
)
_by_customer = st.tuples(st.just(2), st.sampled_from(["order", "write"]))
_acts = st.lists(st.tuples(_by_page | _by_customer, _text), min_size=1, max_size=25)


@dataclass
class Model:
    """What everybody should see in the end."""

    fields: dict[str, str] = field(default_factory=dict)
    todos: set[str] = field(default_factory=set)
    price: float = 12.9
    sold: int = 0
    orders: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


@dataclass
class Stage:
    db: Any
    clock: ManualClock
    shop: builders.Stage
    product: Any
    pages: list[Page]
    model: Model = field(default_factory=Model)
    count: int = 0

    async def act(self, who: int, what: str, text: str) -> None:
        self.count += 1
        self.clock.advance(timedelta(milliseconds=1))
        if who == 2:
            await getattr(self, f"_customer_{what}")(text)
        else:
            page = self.pages[who]
            document = deepcopy(page.shop)
            getattr(self, f"_page_{what}")(document, text)
            page.shop = document
            await page.send(document)

    async def _customer_order(self, text: str) -> None:
        order = await builders.an_order(self.db, self.clock, self.shop.shop, self.product)
        self.model.orders[order.id] = "Pending"
        self.model.sold += 1

    async def _customer_write(self, text: str) -> None:
        await builders.a_message(self.db, self.clock, self.shop.visitor, text.strip() or "…")
        self.model.said.append(text.strip() or "…")

    def _page_type(self, document: dict[str, Any], text: str) -> None:
        name = FIELDS[self.count % len(FIELDS)]
        document[name] = self.model.fields[name] = text

    def _page_todo(self, document: dict[str, Any], text: str) -> None:
        todo = {"id": f"t{self.count}", "text": text, "isCompleted": False, "createdAt": self.count}
        document["todos"] = [*document["todos"], todo]
        self.model.todos.add(todo["id"])

    def _page_price(self, document: dict[str, Any], text: str) -> None:
        document["items"][0]["retailPrice"] = self.model.price = self.count + 0.5

    def _page_sell(self, document: dict[str, Any], text: str) -> None:
        id = f"sub_{self.count}"
        line = {"productId": self.product.id, "productName": "x", "quantity": 2, "unitPrice": 1}
        sale = {"submissionId": id, "orderId": f"POS-{self.count:04d}", "status": "Completed"}
        sale |= {"formId": "pos", "formName": "POS", "orderedProducts": [line], "Full Name": text}
        document["formSubmissions"] = [sale, *document["formSubmissions"]]
        document["items"][0]["stock"] -= 2
        self.model.orders[id] = "Completed"
        self.model.sold += 2

    def _page_status(self, document: dict[str, Any], text: str) -> None:
        for order in document["formSubmissions"][:1]:
            order["status"] = "Confirmed" if order["status"] == "Completed" else "Completed"
            if order["submissionId"] in self.model.orders:
                self.model.orders[order["submissionId"]] = order["status"]

    def _page_drop(self, document: dict[str, Any], text: str) -> None:
        if not document["formSubmissions"]:
            return
        gone = document["formSubmissions"].pop()
        status = self.model.orders.pop(gone["submissionId"], None)
        if status is not None and status != "Completed":
            self.model.sold -= sum(line["quantity"] for line in gone["orderedProducts"])

    def _page_say(self, document: dict[str, Any], text: str) -> None:
        said = {"id": f"msg_{self.count}", "sender": "seller", "text": text.strip() or "…", "timestamp": 1}
        for thread in document["liveConversations"][:1]:
            thread["messages"] = [*thread["messages"], said]
            self.model.said.append(said["text"])

    async def check(self) -> None:
        shop = (await self.pages[0].load()).shop
        assert {name: shop[name] for name in self.model.fields} == self.model.fields
        assert {todo["id"] for todo in shop["todos"]} == self.model.todos
        assert shop["items"][0]["retailPrice"] == self.model.price
        assert shop["items"][0]["stock"] == STOCK - self.model.sold
        orders = {order["submissionId"]: order["status"] for order in shop["formSubmissions"]}
        assert orders == self.model.orders
        numbers = [order["orderId"] for order in shop["formSubmissions"]]
        assert len(set(numbers)) == len(numbers)
        texts = [message["text"] for thread in shop["liveConversations"] for message in thread["messages"]]
        assert sorted(texts) == sorted(["Hello", *self.model.said])
        assert [member["role"] for member in shop["team"]] == ["Owner", "Admin"]


async def played(acts: list[tuple[tuple[int, str], str]]) -> None:
    clock = ManualClock(START)
    db = open_database("memory://", Context(clock, RandomIds(), {}))
    stand = Stand(db, clock)
    api = Api(stand.app())
    try:
        shop = await builders.a_shop(db, clock)
        product = await builders.a_product(db, clock, shop.shop, stock=STOCK)
        await builders.a_message(db, clock, shop.visitor)
        admin = await builders.a_member(db, clock, shop.shop, Role.ADMIN)
        tokens = [stand.access(shop.owner), stand.access(admin)]
        pages = [await Page(api, token, shop.shop.id, f"tab-{token[-5:]}").load() for token in tokens]
        stage = Stage(db, clock, shop, product, pages)
        for (who, what), text in acts:
            await stage.act(who, what, text)
        await stage.check()
    finally:
        await api.close()
        await db.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_acts)
def test_nothing_is_lost_and_the_last_change_counts(acts):
    asyncio.run(played(acts))
