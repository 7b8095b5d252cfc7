"""The owner's page: a whole shop that is read, and sent back at every key stroke."""

import http.client
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

PRODUCTS, ORDERS, CONVERSATIONS, MESSAGES = 200, 500, 50, 40
REPETITIONS = 50
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
            "X-CSRF-Token": "5f0c0f0e-6f5e-4f9e-9a3e-0d6f3d0c9b11",
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

    def typed(number: int) -> bytes:
        return as_browsers_write(page.shop | {"quickNote": "x" * (number + 1)})

    def moved(number: int) -> bytes:
        page.shop["formSubmissions"][number]["status"] = "Confirmed"
        return as_browsers_write(page.shop)

    def save(document: bytes | None) -> None:
        page.ask("PUT", body=document)

    return {
        "PUT, nothing changed": _timed(save, lambda _: written, repetitions),
        "PUT, a key stroke": _timed(save, typed, repetitions),
        "PUT, an order's status": _timed(save, moved, repetitions),
        "GET of the same": _timed(lambda _: page.ask("GET"), lambda _: None, repetitions),
        "list of 500 orders": _timed(
            lambda _: page.ask("GET", "/orders?limit=500"), lambda _: None, repetitions
        ),
    }


def _timed(
    act: Callable[[bytes | None], object], prepare: Callable[[int], bytes | None], repetitions: int
) -> float:
    seconds = []
    for number in range(repetitions):
        document = prepare(number)
        started = time.perf_counter()
        act(document)
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
