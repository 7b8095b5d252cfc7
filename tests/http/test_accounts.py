"""Accounts and sign-in: bearer and cookie, both everywhere."""

from datetime import timedelta

import pytest

from adapters.providers.memory import ManualClock
from tests.http.conftest import make_platform_admin
from tests.http.stand import HOME, PAGE, Api, Serve, Stand

PERSON = {"email": "Ann@Shop.example", "password": "correct horse battery", "username": "ann"}
LOGIN = {"email": "ann@shop.example", "password": "correct horse battery"}
FROM_PAGE = {"origin": PAGE}


@pytest.fixture
async def ann(api: Api) -> dict[str, str]:
    """Registered and signed in: token and refreshToken. The client's cookie jar is empty."""
    answer = await api.post("/api/auth/register", PERSON)
    api.http.cookies.clear()
    return answer.json()["data"]


async def test_registering_signs_in(api: Api):
    answer = await api.post("/api/auth/register", PERSON)
    assert answer.status_code == 201
    body = answer.json()
    assert body["success"] is True
    assert body["data"].keys() == {"user", "token", "refreshToken"}
    user = body["data"]["user"]
    assert user["email"] == "ann@shop.example"
    assert user["username"] == "ann"
    assert user["isAdmin"] is False
    assert isinstance(user["createdAt"], int)
    assert "password" not in answer.text.lower()
    me = await api.get("/api/auth/me", token=body["data"]["token"])
    assert me.json()["data"] == user


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"email": "ANN@shop.example", "username": "other"}, 409, "email_taken"),
        ({"email": "other@shop.example", "username": "ANN"}, 409, "username_taken"),
        ({"email": "no address"}, 400, "invalid"),
        ({"password": "short"}, 400, "invalid"),
        ({"password": "password123"}, 400, "invalid"),
        ({"username": " "}, 400, "invalid"),
        ({"username": "a\nb"}, 400, "invalid"),
        ({"email": "a" * 2_000}, 400, "invalid"),
    ],
)
async def test_what_registering_refuses(api: Api, ann, change: dict[str, str], status: int, code: str):
    answer = await api.post("/api/auth/register", PERSON | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" Ben@SHOP.example ", "ben@shop.example"),
        ("ben+shop@shop.example", "ben+shop@shop.example"),
        ("ben@xn--mnchen-3ya.example", "ben@münchen.example"),
        ("BEN@MU\u0308NCHEN.example", "ben@münchen.example"),
        ("JOSE\u0301@shop.example", "josé@shop.example"),
        ("пример@почта.рф", "пример@почта.рф"),
    ],
)
async def test_an_address_is_one_however_it_is_written(api: Api, written: str, stored: str):
    opened = await api.post("/api/auth/register", PERSON | {"email": written})
    assert opened.json()["data"]["user"]["email"] == stored
    for email in (written, stored, stored.upper()):
        login = {"email": email, "password": PERSON["password"]}
        assert (await api.post("/api/auth/login", login)).status_code == 200, email
    taken = await api.post("/api/auth/register", PERSON | {"email": stored, "username": "other"})
    assert taken.json()["code"] == "email_taken"


@pytest.mark.parametrize(
    "email",
    [
        *(
            "ann",
            "@shop.example",
            "ann@",
            "ann@shop",
            "ann@@shop.example",
            "ann@shop..example",
            "a b@shop.example",
        ),
        *(
            "ann@shop.example.",
            ".ann@shop.example",
            "ann@-shop.example",
            "ann@shop_.example",
            "ann@127.0.0.1",
        ),
        *(
            "ann@[127.0.0.1]",
            '"ann"@shop.example',
            "Ann <ann@shop.example>",
            "ann@localhost",
            "ann@shop.local",
        ),
        *("ann\x07@shop.example", "ann@shop.example\nbcc:x@y.example", "a" * 65 + "@shop.example"),
        *("ann@" + "a" * 64 + ".example", "a@" + "a." * 125 + "example", "ann@xn--a.example"),
    ],
)
async def test_what_is_no_address_is_refused_by_name(api: Api, email: str):
    answer = await api.post("/api/auth/register", PERSON | {"email": email})
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "email"), answer.text
    assert (await api.post("/api/auth/login", LOGIN | {"email": email})).status_code == 401


async def test_signing_in(api: Api, ann):
    answer = await api.post("/api/auth/login", LOGIN)
    assert answer.status_code == 200
    assert answer.json()["data"]["user"] == ann["user"]


async def test_a_wrong_password_and_an_unknown_account_look_the_same(api: Api, ann):
    wrong = await api.post("/api/auth/login", LOGIN | {"password": "something else"})
    unknown = await api.post("/api/auth/login", {"email": "nobody@x.example", "password": "something else"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() | {"requestId": ""} == unknown.json() | {"requestId": ""}


async def test_me_needs_somebody(api: Api, ann):
    assert (await api.get("/api/auth/me")).status_code == 401
    assert (await api.get("/api/auth/me", headers={"authorization": "Basic YTpi"})).status_code == 401
    for bad in ("nonsense", "", "a.b.c", "null", ann["refreshToken"]):
        answer = await api.get("/api/auth/me", headers={"authorization": f"Bearer {bad}"})
        assert answer.status_code == 403, bad
        assert answer.json()["code"] == "bad_token"


async def test_a_visitors_token_opens_nothing_here(api: Api, visitor: str, owner: str):
    assert (await api.get("/api/auth/me", token=visitor)).status_code == 403
    assert (await api.get("/api/chat/messages", token=owner)).status_code == 401


async def test_a_shops_key_is_not_a_person(api: Api, admin_key: str):
    for method, path in (
        ("GET", "/api/auth/me"),
        ("POST", "/api/auth/ensure-profile"),
        ("POST", "/api/shops"),
    ):
        answer = await api.call(method, path, token=admin_key)
        assert (answer.status_code, answer.json()["code"]) == (403, "persons_only")


async def test_a_platform_admin_is_told_so(api: Api, stand: Stand, stage, owner: str, db):
    await make_platform_admin(db, stage.owner)
    assert (await api.get("/api/auth/me", token=owner)).json()["data"]["isAdmin"] is True


# Refreshing


async def test_a_refresh_token_works_once(api: Api, ann):
    first = await api.post("/api/auth/refresh", {"refreshToken": ann["refreshToken"]})
    assert first.status_code == 200
    assert first.json()["data"].keys() == {"token", "refreshToken"}
    assert first.json()["data"]["refreshToken"] != ann["refreshToken"]


async def test_using_it_again_ends_the_login(api: Api, ann):
    renewed = (await api.post("/api/auth/refresh", {"refreshToken": ann["refreshToken"]})).json()["data"]
    api.http.cookies.clear()
    again = await api.post("/api/auth/refresh", {"refreshToken": ann["refreshToken"]})
    assert (again.status_code, again.json()["code"]) == (401, "bad_refresh_token")
    thiefs = await api.post("/api/auth/refresh", {"refreshToken": renewed["refreshToken"]})
    assert thiefs.status_code == 401


@pytest.mark.parametrize("body", [{}, {"refreshToken": ""}, {"refreshToken": None}, {"refreshToken": "x"}])
async def test_no_good_refresh_token_is_401(api: Api, body: dict[str, object]):
    assert (await api.post("/api/auth/refresh", body)).status_code == 401


async def test_an_access_token_is_no_refresh_token(api: Api, ann):
    assert (await api.post("/api/auth/refresh", {"refreshToken": ann["token"]})).status_code == 401


async def test_a_browser_refreshes_by_cookie(api: Api):
    await api.post("/api/auth/register", PERSON)
    before = api.http.cookies["parley_refresh"]
    answer = await api.call(
        "POST", "/api/auth/refresh", headers={"content-type": "application/json"} | FROM_PAGE
    )
    assert answer.status_code == 200
    assert api.http.cookies["parley_refresh"] != before
    assert (
        await api.post("/api/auth/refresh", headers={"origin": "https://evil.example"})
    ).status_code == 403


# Cookies


def attributes(answer, name: str) -> set[str]:
    (line,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(name + "=")]
    return set(line.split("; ")[1:])


async def test_cookies_are_out_of_reach_for_scripts(api: Api):
    answer = await api.post("/api/auth/register", PERSON)
    month = f"Max-Age={30 * 24 * 3600}"
    assert attributes(answer, "parley_session") == {"Path=/", month, "HttpOnly", "SameSite=Lax"}
    assert attributes(answer, "parley_refresh") == {"Path=/api/auth", month, "HttpOnly", "SameSite=Lax"}


async def test_over_https_they_are_secure_and_bound_to_the_host(serve: Serve):
    answer = await serve(is_secure=True, base_url="https://parley.example").post("/api/auth/register", PERSON)
    assert attributes(answer, "__Host-parley_session") >= {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert attributes(answer, "parley_refresh") >= {"HttpOnly", "SameSite=Lax", "Secure"}


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/refresh", "/api/auth/ensure-profile"])
async def test_cookies_come_with_every_way_to_sign_in(api: Api, ann, path: str):
    body = {"/api/auth/login": LOGIN, "/api/auth/refresh": {"refreshToken": ann["refreshToken"]}}.get(path)
    answer = await api.post(path, body, token=ann["token"])
    assert answer.status_code == 200
    assert len(answer.headers.get_list("set-cookie")) == 2
    assert (await api.get("/api/auth/me")).status_code == 200


async def test_the_cookie_alone_signs_in(api: Api):
    await api.post("/api/auth/register", PERSON)
    assert (await api.get("/api/auth/me")).json()["data"]["username"] == "ann"


async def test_other_cookies_of_the_host_do_not_get_in_the_way(api: Api):
    await api.post("/api/auth/register", PERSON)
    mine = api.http.cookies["parley_session"]
    api.http.cookies.clear()
    for cookies in (f'a="b;c"; x={{"y":1}}; parley_session={mine}; z', f"parley_session={mine}"):
        assert (await api.get("/api/auth/me", headers={"cookie": cookies})).status_code == 200


async def test_an_unknown_cookie_is_no_cookie(api: Api):
    answer = await api.get("/api/auth/me", headers={"cookie": "parley_session=made-up"})
    assert answer.status_code == 401


async def test_a_lapsed_token_passes_with_the_same_persons_cookie(api: Api, clock: ManualClock):
    token = (await api.post("/api/auth/register", PERSON)).json()["data"]["token"]
    clock.advance(timedelta(days=10))
    assert (await api.get("/api/auth/me", token=token)).status_code == 200
    api.http.cookies.clear()
    assert (await api.get("/api/auth/me", token=token)).status_code == 403


async def test_a_page_that_has_only_its_token_is_signed_in_for_a_week(api: Api, ann, clock: ManualClock):
    for wait in (timedelta(minutes=16), timedelta(days=6, hours=23)):
        clock.advance(wait)
        assert (await api.get("/api/auth/me", token=ann["token"])).status_code == 200
        assert (await api.post("/api/shops", {"name": "Lumen"}, token=ann["token"])).status_code == 201
    clock.advance(timedelta(hours=1))
    answer = await api.get("/api/auth/me", token=ann["token"])
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_token")


async def test_with_a_lapsed_token_no_page_has_to_be_trusted(api: Api, clock: ManualClock):
    """Its own page alone knows the token, with a cookie beside it as without."""
    token = (await api.post("/api/auth/register", PERSON)).json()["data"]["token"]
    clock.advance(timedelta(hours=1))
    elsewhere = {"origin": "https://elsewhere.example"}
    for _ in ("with cookies", "without"):
        answer = await api.post("/api/shops", {"name": "Lumen"}, token=token, headers=elsewhere)
        assert answer.status_code == 201
        api.http.cookies.clear()


async def test_who_has_signed_out_is_out_once_the_token_lapses(api: Api, ann, clock: ManualClock):
    await api.post("/api/auth/logout", token=ann["token"])
    clock.advance(timedelta(minutes=16))
    assert (await api.get("/api/auth/me", token=ann["token"])).status_code == 403


async def test_a_stolen_login_ends_for_lapsed_tokens_too(api: Api, ann, clock: ManualClock):
    for _ in ("the page", "the thief"):
        await api.post("/api/auth/refresh", {"refreshToken": ann["refreshToken"]})
        api.http.cookies.clear()
    clock.advance(timedelta(minutes=16))
    assert (await api.get("/api/auth/me", token=ann["token"])).status_code == 403


async def test_another_persons_cookie_does_not_make_a_lapsed_token_theirs(api: Api, ann, clock: ManualClock):
    await api.post("/api/auth/register", {**PERSON, "email": "ben@shop.example", "username": "ben"})
    clock.advance(timedelta(hours=1))
    assert (await api.get("/api/auth/me", token=ann["token"])).json()["data"]["username"] == "ann"
    clock.advance(timedelta(days=7))
    assert (await api.get("/api/auth/me", token=ann["token"])).status_code == 403


async def test_a_page_elsewhere_that_registers_gets_its_cookie_in_the_next_step(api: Api, clock: ManualClock):
    """The platform's page registers without credentials, so the browser throws the first cookie away."""
    token = (await api.post("/api/auth/register", PERSON, headers=FROM_PAGE)).json()["data"]["token"]
    api.http.cookies.clear()
    ensured = await api.post("/api/auth/ensure-profile", token=token, headers=FROM_PAGE)
    assert ensured.headers["access-control-allow-credentials"] == "true"
    clock.advance(timedelta(days=29))
    assert (await api.get("/api/auth/me", token=token, headers=FROM_PAGE)).status_code == 200
    assert (await api.get("/api/auth/me", headers=FROM_PAGE)).status_code == 200


async def test_ensure_profile_gives_a_browser_its_cookie(api: Api, ann):
    answer = await api.post("/api/auth/ensure-profile", token=ann["token"])
    assert answer.status_code == 200
    assert answer.json()["data"]["id"] == ann["user"]["id"]


async def test_a_browser_that_has_its_cookie_gets_no_second_one(api: Api, ann):
    first = await api.post("/api/auth/ensure-profile", token=ann["token"])
    second = await api.post("/api/auth/ensure-profile", token=ann["token"])
    assert [len(answer.headers.get_list("set-cookie")) for answer in (first, second)] == [2, 0]


# Signing out


async def test_a_lapsed_token_is_enough_to_sign_out_with(api: Api, ann, clock: ManualClock):
    clock.advance(timedelta(hours=1))
    assert (await api.post("/api/auth/logout", token=ann["token"])).status_code == 200
    refused = await api.post("/api/auth/refresh", {"refreshToken": ann["refreshToken"]})
    assert refused.status_code == 401


async def test_signing_out_ends_the_login_and_clears_the_cookies(api: Api):
    data = (await api.post("/api/auth/register", PERSON)).json()["data"]
    answer = await api.post("/api/auth/logout", headers=FROM_PAGE)
    assert answer.json() == {"success": True, "data": {"signedOut": True}}
    assert attributes(answer, "parley_session") >= {"Max-Age=0", "Path=/"}
    assert attributes(answer, "parley_refresh") >= {"Max-Age=0", "Path=/api/auth"}
    assert (await api.get("/api/auth/me")).status_code == 401
    assert (await api.post("/api/auth/refresh", {"refreshToken": data["refreshToken"]})).status_code == 401


async def test_signing_out_works_with_a_token_alone(api: Api, ann):
    assert (await api.post("/api/auth/logout", token=ann["token"])).status_code == 200
    assert (await api.post("/api/auth/refresh", {"refreshToken": ann["refreshToken"]})).status_code == 401


async def test_signing_out_is_never_refused_for_want_of_a_login(api: Api):
    for token in (None, "forged"):
        assert (await api.post("/api/auth/logout", token=token)).status_code == 200


async def test_signing_out_ends_the_tokens_login_and_the_cookies(api: Api, ann):
    other = (await api.post("/api/auth/login", LOGIN)).json()["data"]
    await api.post("/api/auth/logout", token=ann["token"], headers=FROM_PAGE)
    for data in (ann, other):
        assert (
            await api.post("/api/auth/refresh", {"refreshToken": data["refreshToken"]})
        ).status_code == 401


# Whose page it was


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": PAGE}, 201),
        ({"origin": HOME}, 201),
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8080"}, 201),
        ({"sec-fetch-site": "none"}, 201),
        ({}, 201),  # no browser: those name the page with every POST
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none", "origin": "https://evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": PAGE + ".evil.example"}, 403),
        ({"origin": "http://localhost:30000"}, 403),
        ({"origin": "https://localhost:3000"}, 403),
        ({"origin": "http://localhost:3000/"}, 403),
    ],
)
async def test_a_cookie_counts_only_on_trusted_pages(api: Api, headers: dict[str, str], status: int):
    await api.post("/api/auth/register", PERSON)
    answer = await api.post("/api/shops", {"name": "Lumen"}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "origin_not_allowed"


async def test_a_token_needs_no_trusted_page(api: Api, ann):
    answer = await api.post(
        "/api/shops", {"name": "Lumen"}, token=ann["token"], headers={"origin": "https://elsewhere.example"}
    )
    assert answer.status_code == 201


async def test_reading_by_cookie_needs_no_origin(api: Api):
    await api.post("/api/auth/register", PERSON)
    assert (await api.get("/api/shops")).status_code == 200


async def test_no_page_signs_others_out(api: Api):
    await api.post("/api/auth/register", PERSON)
    assert (await api.post("/api/auth/logout", headers={"origin": "https://evil.example"})).status_code == 403
    assert (await api.get("/api/auth/me")).status_code == 200


async def test_a_plain_text_form_changes_nothing(api: Api):
    await api.post("/api/auth/register", PERSON)
    answer = await api.post(
        "/api/shops", content=b'{"name":"x"}', headers={"content-type": "text/plain"} | FROM_PAGE
    )
    assert answer.status_code == 415
