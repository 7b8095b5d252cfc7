"""How often is too often, and for whom."""

import pytest

from ports.limits import Rate
from tests.http.conftest import another_visitor
from tests.http.stand import Serve, Stand

ONE, TWO = Rate(1, 60), Rate(2, 60)
LOGIN = {"email": "ann@shop.example", "password": "wrong password"}


async def test_one_too_many_is_told_when_to_come_back(serve: Serve, owner: str):
    api = serve(limits={"user": TWO})
    first, second, third = [await api.get("/api/shops", token=owner) for _ in range(3)]
    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert first.headers["x-ratelimit-limit"] == "2"
    assert [answer.headers["x-ratelimit-remaining"] for answer in (first, second, third)] == ["1", "0", "0"]
    assert third.json()["code"] == "rate_limited"
    assert 1 <= int(third.headers["retry-after"]) <= 64


async def test_the_reset_is_a_second_since_1970(serve: Serve, stand: Stand, owner: str):
    answer = await serve().get("/api/shops", token=owner)
    now = stand.clock.now().timestamp()
    assert now < int(answer.headers["x-ratelimit-reset"]) <= now + 62


async def test_after_waiting_one_may_again(serve: Serve, stand: Stand, owner: str):
    api = serve(limits={"user": ONE})
    await api.get("/api/shops", token=owner)
    wait = int((await api.get("/api/shops", token=owner)).headers["retry-after"])
    stand.now += wait
    assert (await api.get("/api/shops", token=owner)).status_code == 200


async def test_persons_do_not_use_up_each_others_allowance(serve: Serve, owner: str, stranger: str):
    api = serve(limits={"user": ONE})
    assert (await api.get("/api/shops", token=owner)).status_code == 200
    assert (await api.get("/api/shops", token=stranger)).status_code == 200


async def test_asking_who_one_is_stays_possible(serve: Serve, owner: str):
    """A page that is refused here signs its person out."""
    api = serve(limits={"user": ONE})
    for _ in range(3):
        await api.get("/api/shops", token=owner)
    assert (await api.get("/api/auth/me", token=owner)).status_code == 200


async def test_visitors_are_counted_one_by_one(serve: Serve, stand: Stand, stage, visitor: str):
    api = serve(limits={"visitor": ONE})
    assert (await api.get("/api/chat/messages", token=visitor)).status_code == 200
    refused = await api.get("/api/chat/messages", token=visitor)
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    other = stand.visit(another_visitor(stage))
    assert (await api.get("/api/chat/messages", token=other)).status_code == 200


async def test_a_shops_server_has_an_allowance_of_its_own(serve: Serve, owner: str, admin_key: str):
    api = serve(limits={"user": ONE, "shop_key": TWO})
    await api.get("/api/shops", token=owner)
    assert [(await api.get("/api/shops", token=admin_key)).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("limit", "path"),
    [
        ("login_per_address", "/api/auth/login"),
        ("register_per_address", "/api/auth/register"),
        ("refresh_per_address", "/api/auth/refresh"),
        ("visitor_token_per_address", "/api/chat/anonymous-token"),
        ("address", "/api/auth/logout"),
    ],
)
async def test_what_needs_no_login_is_counted_by_address(serve: Serve, limit: str, path: str):
    api = serve(limits={limit: ONE})
    assert (await api.post(path)).status_code != 429
    assert (await api.post(path)).status_code == 429


async def test_an_account_can_not_be_tried_from_many_addresses(serve: Serve):
    limits = {"login_per_account": TWO}
    api = serve(limits=limits, trusted_proxies=("127.0.0.1",))
    statuses = [
        (
            await api.post("/api/auth/login", LOGIN | change, headers={"x-forwarded-for": f"203.0.113.{n}"})
        ).status_code
        for n, change in enumerate([{}, {"email": " ANN@shop.example"}, {}])
    ]
    assert statuses == [401, 401, 429]
    other = await api.post("/api/auth/login", LOGIN | {"email": "bob@shop.example"})
    assert other.status_code == 401


async def test_guessing_tokens_is_counted_by_address(serve: Serve):
    api = serve(limits={"address": TWO})
    answers = [await api.get("/api/auth/me", token="guess") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert (await api.get("/api/chat/messages", token="guess")).status_code == 429


async def test_probes_are_never_refused(serve: Serve):
    api = serve(limits={"address": ONE})
    for path in ("/health", "/ready", "/metrics"):
        assert [(await api.get(path)).status_code for _ in range(3)] == [200, 200, 200]


async def test_a_forged_address_changes_nothing(serve: Serve):
    api = serve(limits={"login_per_address": ONE})
    first, second = [
        await api.post("/api/auth/login", LOGIN, headers={"x-forwarded-for": f"203.0.113.{n}"})
        for n in range(2)
    ]
    assert (first.status_code, second.status_code) == (401, 429)
