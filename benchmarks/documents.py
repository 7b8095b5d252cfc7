"""The owner's page: a whole shop that is read, and sent back at every key stroke."""

import http.client
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

PRODUCTS, ORDERS, CONVERSATIONS, MESSAGES = 200, 500, 50, 40
REPETITIONS = 100
GROWN = 10
"""How many times as many rows the second measurement has."""

Json = dict[str, Any]


class Page:
    """One tab of the owner's page, on one connection that is kept."""

    def __init__(self, port: int, token: str, shop_id: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._path = f"/api/shops/{shop_id}"
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token}",
            "X-CSRF-Token": "the one tab",
        }
        self.shop: Json = {}

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str = "", body: bytes | None = None) -> bytes:
        self._connection.request(method, self._path + path, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path} answered {response.status}: {answer[:300]!r}")
        return answer

    def load(self) -> None:
        self.shop = json.loads(self.ask("GET"))["data"]

    def save(self, part: Json | None = None) -> bytes:
        return self.ask("PUT", body=as_browsers_write(part or self.shop))


def as_browsers_write(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def fill(page: Page, times: int) -> None:
    """A shop of the usual size, or of so many times as many rows."""
    page.save({"items": [_item(number) for number in range(PRODUCTS * times)]})
    page.save({"formSubmissions": [_order(number) for number in range(ORDERS * times)]})
    page.save({"liveConversations": [_conversation(number) for number in range(CONVERSATIONS * times)]})
    page.load()
    page.save()


def measure(page: Page, repetitions: int = REPETITIONS) -> dict[str, float]:
    """Milliseconds, half of the calls being faster, by what is done."""
    written = as_browsers_write(page.shop)

    def unchanged(number: int) -> None:
        page.ask("PUT", body=written)

    def stroke() -> Callable[[int], None]:
        documents = [as_browsers_write(page.shop | {"quickNote": "x" * n}) for n in range(1, repetitions + 1)]
        return lambda number: page.ask("PUT", body=documents[number]) and None

    def moved() -> Callable[[int], None]:
        documents = []
        for number in range(repetitions):
            page.shop["formSubmissions"][number]["status"] = "Confirmed"
            documents.append(as_browsers_write(page.shop))
        return lambda number: page.ask("PUT", body=documents[number]) and None

    return {
        "PUT, nothing changed": _timed(unchanged, repetitions),
        "PUT, a key stroke": _timed(stroke(), repetitions),
        "PUT, an order's status": _timed(moved(), repetitions),
        "GET of the same": _timed(lambda _: page.ask("GET") and None, repetitions),
        "list of 500 orders": _timed(lambda _: page.ask("GET", "/orders?limit=500") and None, repetitions),
    }


def _timed(act: Callable[[int], None], repetitions: int) -> float:
    seconds = []
    for number in range(repetitions):
        started = time.perf_counter()
        act(number)
        seconds.append(time.perf_counter() - started)
    return median(seconds) * 1e3


def _item(number: int) -> Json:
    return {
        "id": f"item_{number}",
        "itemType": "product",
        "name": f"Coffee number {number}",
        "description": "Chocolate and hazelnut, roasted on Mondays. " * 3,
        "retailPrice": 9.9 + number,
        "stock": 1_000,
        "category": "Coffee",
    }


def _order(number: int) -> Json:
    lines = [
        {
            "productId": f"item_{(number + place) % PRODUCTS}",
            "productName": f"Coffee number {(number + place) % PRODUCTS}",
            "quantity": 1 + place,
            "unitPrice": 9.9,
        }
        for place in range(2)
    ]
    return {
        "submissionId": f"sub_{number}",
        "orderId": f"LCXX-{number:04d}",
        "formId": "form",
        "formName": "Order form",
        "submittedAt": 1_770_000_000_000 + number * 1_000,
        "status": "Pending",
        "orderedProducts": lines,
        "paymentMethod": "Cash",
        "Full Name": f"Customer {number}",
        "Phone Number": "+49 170 1234567",
        "Full Shipping Address": "Some Street 1, 10115 Berlin",
    }


def _conversation(number: int) -> Json:
    messages = [
        {
            "id": f"msg_{number}_{place}",
            "sender": "user" if place % 2 else "seller",
            "text": "Is the grinder good for espresso? From click 8 on it is.",
        }
        for place in range(MESSAGES)
    ]
    return {"id": f"conv_{number}", "channel": "web", "customerName": f"Jo {number}", "messages": messages}
