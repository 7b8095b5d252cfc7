"""What comes in is JSON, strictly: what is odd is refused with the field's name and the rule."""

import json

import pytest

from adapters.wire.strict_json import DEPTH_LIMIT, PARTS_LIMIT, OddJson, mended, refuse_odd
from tests.http.stand import Api, Serve, Stand, Wire, chunks

LOGIN = "/api/auth/login"
MESSAGES = "/api/chat/messages"


async def said(api: Api, content: bytes, **options: object) -> tuple[int, str]:
    answer = await api.post(LOGIN, content=content, **options)
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "email is required"),
        (b"{}", "email is required"),
        (b'{"email": "a@b.co"}', "password is required"),
        (b'{"email": 7, "password": "x"}', "email must be a text, not a whole number"),
        (b'{"email": null, "password": "x"}', "email must be a text, not null"),
        (b'{"email": "a", "password": "b", "isAdmin": true}', "isAdmin is not known here"),
        (b"[]", "body must be an object, not a list"),
        (b'"text"', "body must be an object, not a text"),
    ],
)
async def test_a_refusal_names_the_field_and_the_rule(api: Api, content: bytes, error: str):
    assert await said(api, content) == (400, error)


async def test_fields_are_named_as_they_are_spelled_on_the_wire(api: Api, owner: str, stage):
    path = f"/api/shops/{stage.shop.id}/conversations/x"
    answer = await api.put(path, {"awaitingProofUntil": "soon"}, token=owner)
    assert answer.json()["error"] == "awaitingProofUntil must be a whole number or null, not a text"
    assert answer.json()["details"] == {
        "field": "awaitingProofUntil",
        "rule": "must be a whole number or null, not a text",
    }


async def test_nested_fields_are_named_with_their_place(api: Api, visitor: str):
    body = {"text": "x", "attachments": {"items": [{"type": "image", "payload": {"url": 5}}]}}
    answer = await api.post(MESSAGES, body, token=visitor)
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == "attachments.items[0].payload.url"


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("sessionId=x&tenantId=%20", "must be a text matching regex "),
        ("conversationId=" + "x" * 129, "must be a text matching regex "),
    ],
)
async def test_patterns_are_told_of_texts(api: Api, query: str, rule: str):
    answer = await api.get(f"/webchat/messages?{query}")
    assert answer.status_code == 400
    assert answer.json()["details"]["rule"].startswith(rule)


async def test_limits_are_told_in_words(api: Api, owner: str, stage):
    """People read them: the chat shows what an upload's refusal says."""
    uploads = f"/api/shops/{stage.shop.id}/conversations/x/uploads"
    long = await api.post(
        uploads, {"originalName": "x" * 1001, "mimeType": "image/png", "size": 5}, token=owner
    )
    assert long.json()["error"] == "originalName must have at most 1000 characters"
    complete = {"fileId": -1, "uploadToken": "x"}
    low = await api.post(f"{uploads}/complete", complete, token=owner)
    assert low.json()["error"] == "fileId must be at least 0"
    many = {"name": "x", "hosts": ["x.example"] * 101}
    sites = await api.post(f"/api/shops/{stage.shop.id}/sites", many, token=owner)
    assert sites.json()["error"] == "hosts must have at most 100 entries"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"email": "a@b.co"} {}',
        b'{"email": NaN}',
        b'{"email": Infinity}',
        b'{"email": 1e400}',
        b'{"email": ' + b"9" * 10_000 + b"}",
        b'{"email": "\\ud800"}',
        b'{"email": "\xff"}',
        b'{"email": "\xed\xa0\x80"}',
        b'{"email": "a\x01b"}',
        b'{"email": "a\\u0000b", "password": "x"}',
        b'{"email": "a", "email": "b", "password": "x"}',
        b"[" * 90_000,
        b'{"a":' * 15_000,
        b'{"email": ' + b"[" * 40 + b"]" * 40 + b"}",
        b"\xef\xbb\xbf{}",
        b"email=a&password=b",
        b"\x00",
    ],
    ids=lambda content: repr(content[:24]),
)
async def test_odd_json_is_400(api: Api, content: bytes):
    status, error = await said(api, content)
    assert status == 400
    assert len(error) < 300


def test_depth_is_counted_outside_of_texts():
    deep = b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT
    refuse_odd(deep)
    refuse_odd(json.dumps({"text": "[" * 500 + '\\"{' * 500}).encode())
    refuse_odd(b"[" + b",".join([b"[]"] * 1_000) + b"]")
    with pytest.raises(OddJson, match="nested"):
        refuse_odd(b"[" + deep + b"]")


@pytest.mark.parametrize("part", [b"0", b"{}", b'{"a":1}', b'""'])
def test_a_body_has_only_so_many_parts(part: bytes):
    refuse_odd(b"[" + b",".join([part] * 20_000) + b"]")
    with pytest.raises(OddJson, match="parts"):
        refuse_odd(b"[" + b",".join([part] * (PARTS_LIMIT + 1)) + b"]")


@pytest.mark.parametrize("inside", [rb"\"", rb"\\", rb"a"])
def test_a_text_without_an_end_is_looked_at_once(inside: bytes):
    """Not again from every quote in it, which would take minutes."""
    with pytest.raises(OddJson, match="nested"):
        refuse_odd(b"[" * (DEPTH_LIMIT + 1) + b'"' + inside * 150_000)


def test_an_escaped_backslash_before_u0000_is_text():
    refuse_odd(rb'{"a": "\\u0000"}')
    with pytest.raises(OddJson, match="NUL"):
        refuse_odd(rb'{"a": "\\\u0000"}')


def test_duplicate_keys_are_found_on_every_level():
    refuse_odd(b'{"a": {"b": 1}, "c": {"b": 1}}')
    with pytest.raises(OddJson, match="b is there twice"):
        refuse_odd(b'{"a": {"b": 1, "b": 2}}')


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"],
)
async def test_only_json_is_taken(api: Api, media: str):
    status, error = await said(api, b'{"email":"a","password":"b"}', headers={"content-type": media})
    assert (status, error) == (415, "The body must be sent as application/json")


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "Application/JSON", "application/ld+json"]
)
async def test_json_goes_by_several_names(api: Api, media: str):
    status, _ = await said(api, b'{"email":"a","password":"b"}', headers={"content-type": media})
    assert status == 401


async def test_compressed_bodies_are_not_unpacked(api: Api):
    status, _ = await said(api, b"\x1f\x8b\x08", headers={"content-encoding": "gzip"})
    assert status == 415


async def test_a_body_over_the_limit_is_413_announced_or_not(serve: Serve):
    api = serve(body_limit=1_000)
    assert await said(api, b"x" * 1_001) == (413, "The body may have at most 1000 bytes")
    assert (await said(api, chunks(b"x" * 600, b"x" * 600)))[0] == 413
    assert (await said(api, chunks(b'{"email":"a",', b'"password":"b"}')))[0] == 401


@pytest.mark.parametrize(
    ("length", "headers", "left"),
    [
        (None, (), 0),
        (b"1500", (), 0),
        (b"1500", ((b"expect", b"100-continue"),), 3),
        (b"2001", (), 3),
    ],
)
async def test_who_sends_somewhat_too_much_is_heard_out(stand: Stand, visitor: str, length, headers, left):
    """Else the connection would end under a client that sends first and reads the answer then."""
    announced = ((b"content-length", length),) if length else ()
    wire = Wire(stand.app(body_limit=1_000), MESSAGES, token=visitor, headers=(*announced, *headers))
    for part in range(3):
        wire.send_body(b"x" * 500, more=part < 2)
    assert await wire.run() == 413
    assert wire.unread == left


async def test_a_body_that_drips_is_408(stand: Stand, visitor: str):
    wire = Wire(stand.app(body_timeout=0.05), MESSAGES, token=visitor)
    wire.send_body(b'{"te')
    assert await wire.run() == 408
    assert json.loads(wire.sent[1]["body"])["code"] == "BODY_TIMEOUT"


async def test_what_is_sent_in_pieces_is_read_whole(stand: Stand, visitor: str):
    wire = Wire(stand.app(), MESSAGES, token=visitor)
    wire.send_body(b'{"text":')
    wire.send_body(b'"hello"')
    wire.send_body(b"}", more=False)
    assert await wire.run() == 202


async def test_two_statements_of_the_length_are_one_too_many(api: Api):
    both = {"content-length": "2", "transfer-encoding": "chunked"}
    answer = await api.post(LOGIN, content=b"{}", headers=both)
    assert (answer.status_code, answer.json()["code"]) == (400, "ambiguous_length")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/auth/me", 200), ("POST", "/api/auth/logout", 200), ("GET", "/api/shops", 200)],
)
async def test_a_json_content_type_without_a_body_is_normal(
    api: Api, owner: str, method: str, path: str, status: int
):
    answer = await api.call(method, path, token=owner, headers={"content-type": "application/json"})
    assert answer.status_code == status


async def test_who_calls_is_looked_at_before_what_they_say(api: Api):
    assert (await api.post("/api/shops", content=b"{{{")).status_code == 401
    assert (await api.post("/api/shops", content=b"{{{", token="forged")).status_code == 403
    assert (await api.post(MESSAGES, content=b"{{{", token="forged")).status_code == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1e3", "limit"),
        ("limit=1e2", "limit"),
        ("limit=1e0", "limit"),
        ("limit=5.0", "limit"),
        ("limit=", "limit"),
        ("limit=null", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=%205", "limit"),
        ("limit=0x5", "limit"),
        ("limit=1_0", "limit"),
        ("limit=%D9%A5", "limit"),
        ("after=null", "after"),
        ("after=0.0", "after"),
        ("after=-1", "after"),
        ("after=99999999999999999999999", "after"),
        ("after=1&after=2", "query"),
        ("sessionId=a%00b", "sessionId"),
        ("sessionId=%FF", "query"),
        ("sessionId=" + "a" * 200, "sessionId"),
        ("&".join(f"a{n}=1" for n in range(60)), "query"),
    ],
)
async def test_odd_queries_are_400(api: Api, visitor: str, query: str, field: str):
    answer = await api.get(f"{MESSAGES}?{query}", token=visitor)
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == field


async def test_a_number_that_is_none_is_told_so(
    api: Api, owner: str, visitor: str, stage, conversation_id: str
):
    inbox = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}/messages"
    for path, token in ((MESSAGES, visitor), (inbox, owner)):
        answer = await api.get(f"{path}?limit=1e2", token=token)
        assert answer.json()["error"] == "limit must be a whole number, in digits"
        assert (await api.get(f"{path}?limit=100", token=token)).status_code == 200


async def test_what_a_query_holds_beside_is_passed_over(api: Api, visitor: str):
    assert (await api.get(f"{MESSAGES}?utm_source=mail&_=1", token=visitor)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (rb'"a\ud83d"', "a\ufffd"),
        (rb'"\uDE00b\ud83d"', "\ufffdb\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\uD83D\uDE00"', "\U0001f600"),
        (rb'"\\ud83d"', "\\ud83d"),
        (rb'"\\\ud83d \u00e9"', "\\\ufffd \u00e9"),
        ('"\U0001f600"'.encode(), "\U0001f600"),
    ],
)
def test_halves_of_characters_are_replaced(sent: bytes, text: str):
    assert json.loads(mended(sent)) == text
