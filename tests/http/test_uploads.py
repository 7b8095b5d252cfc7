"""Files into conversations: the widget's three steps, and every way to misuse them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from adapters.providers.memory import ManualClock
from core.files.attaching import CUSTOMERS_INLINE_LIMIT
from core.files.model import ATTEMPTS_LIMIT, EXPIRES_AFTER, WAITING_LIMIT
from core.identity.model import digest
from core.sites.model import Site
from ports.db import SYSTEM
from ports.limits import Rate
from tests import builders
from tests.databases import KINDS
from tests.http.conftest import another_visitor
from tests.http.stand import HOME, Api, Serve, Stand, chunks
from tests.http.uploader import HTML, PDF, PNG, PNG_SIZE, SVG, Uploader, item, path_of

MESSAGES = "/api/chat/messages"


@pytest.fixture
def uploader(api: Api, conversation_id: str) -> Uploader:
    return Uploader(api, conversation_id)


def objects(stand: Stand) -> dict[str, bytes]:
    found: dict[str, bytes] = stand.container.storage().objects
    return found


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert body["message"] == body["error"]
    assert "closed" not in body["message"].lower()
    return answer.status_code, body["code"]


# The three steps


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_a_file_is_announced_sent_completed_and_carried(uploader: Uploader, api: Api, visitor: str):
    begun = (await uploader.init("Blick aufs Meer.png")).json()
    assert (begun["success"], begun["message"]) == (True, "Upload begun")
    data = begun["data"]
    assert data.keys() == {"uploadUrl", "fileId", "uploadToken", "expiresIn", "fileName", "contentType"}
    assert data["uploadUrl"].startswith(f"{HOME}/api/gw/v1/webchat/")
    assert isinstance(data["fileId"], int)
    assert (data["expiresIn"], data["fileName"], data["contentType"]) == (
        900,
        "Blick aufs Meer.png",
        "image/png",
    )
    assert (await uploader.put(data["uploadUrl"], PNG, "image/png")).status_code == 200
    done = (await uploader.complete(data)).json()
    assert (done["success"], done["message"]) == (True, "File stored")
    stored = done["data"]
    assert stored == {
        "publicUrl": stored["publicUrl"],
        "filename": "Blick aufs Meer.png",
        "size": len(PNG),
        "contentType": "image/png",
    }
    assert stored["publicUrl"].endswith("/Blick-aufs-Meer.png")
    message = {"text": "", "attachments": item(stored["publicUrl"], filename="x", size=1), "temp_id": "t-1"}
    assert (await api.post(MESSAGES, message, token=visitor)).status_code == 202
    assert (await api.post(MESSAGES, message, token=visitor)).json()["data"]["duplicate"]
    *_, posted = (await api.get(MESSAGES, token=visitor)).json()["messages"]
    payload = {
        "url": stored["publicUrl"],
        "filename": "Blick aufs Meer.png",
        "content_type": "image/png",
        "size": len(PNG),
    }
    assert posted["attachments"] == {"items": [{"type": "image", "payload": payload}]}
    assert posted["text"] == "[Attachment: Blick aufs Meer.png]"
    assert (await api.get(path_of(stored["publicUrl"]))).content == PNG


async def test_browsers_may_put_from_any_page(api: Api, uploader: Uploader):
    begun = await uploader.begun()
    asked = {
        "origin": "https://chat.shop.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
    }
    answer = await api.call("OPTIONS", path_of(begun["uploadUrl"]), headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://chat.shop.example"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("which", ["public key", "admin key", "visitor"])
async def test_what_belongs_to_the_conversation_may_be_sent_along(
    api: Api, stage, conversation_id: str, visitor: str, admin_key: str, which: str
):
    tokens = {"public key": stage.shop.public_key, "admin key": admin_key, "visitor": visitor}
    await Uploader(api, conversation_id, tokens[which]).stored()


@pytest.mark.parametrize("which", ["public key", "admin key", "visitor", "other visitor"])
async def test_what_belongs_elsewhere_does_not_find_the_conversation(
    api: Api, stand: Stand, stage, conversation_id: str, db, clock, which: str
):
    other = await builders.a_shop(db, clock)
    key = await stand.application.shops.replace_admin_key(actor=other.owner, shop_id=other.shop.id)
    tokens = {
        "public key": other.shop.public_key,
        "admin key": key,
        "visitor": stand.visit(other.visitor),
        "other visitor": stand.visit(another_visitor(stage)),
    }
    begun = await Uploader(api, conversation_id).begun()
    stranger = Uploader(api, conversation_id, tokens[which])
    assert refused(await stranger.init()) == (404, "INVALID_CONVERSATION")
    assert refused(await stranger.complete(begun)) == (404, "INVALID_CONVERSATION")


@pytest.mark.parametrize("token", ["pk_unknown", "sk_unknown", "a.b.c"])
async def test_what_belongs_to_nobody_is_refused(api: Api, conversation_id: str, token: str):
    answer = await Uploader(api, conversation_id, token).init()
    assert answer.status_code == 401


async def test_an_unknown_conversation_is_not_found(api: Api):
    unknown = Uploader(api, "0198c0de-9f3a-7c21-b5d4-e6f800000000")
    assert refused(await unknown.init()) == (404, "INVALID_CONVERSATION")


@pytest.mark.parametrize("header", ["x-website-origin", "origin", "referer"])
async def test_a_page_of_another_shop_does_not_find_the_conversation(
    api: Api, uploader: Uploader, db, clock, header: str
):
    other = (await builders.a_shop(db, clock)).shop.id
    site = Site.make(id=builders.ids.new(), name="x", hosts=["other.example"], now=clock.now())
    await db.transact(lambda tx: tx.sites.add(site), shop=other)
    announced = {"originalName": "a.png", "mimeType": "image/png", "size": 1}
    for page, status in (("https://other.example", 404), ("https://unknown.example", 200)):
        answer = await api.post(f"{uploader.path}/init", announced, headers={header: page})
        assert answer.status_code == status


# What can't be announced


@pytest.mark.parametrize(
    ("name", "mime", "size", "status", "code"),
    [
        ("a.svg", "image/svg+xml", 9, 415, "FILE_TYPE_REFUSED"),
        ("a.html", "text/html", 9, 415, "FILE_TYPE_REFUSED"),
        ("a.exe", "application/octet-stream", 9, 415, "FILE_TYPE_REFUSED"),
        ("a.png", "", 9, 415, "FILE_TYPE_REFUSED"),
        ("a.png", "image/png", 25 * 1024 * 1024 + 1, 413, "FILE_TOO_LARGE"),
        ("a.png", "image/png", 10**30, 413, "FILE_TOO_LARGE"),
        ("a.png", "image/png", 0, 400, "INVALID"),
        ("a.png", "image/png", -1, 400, "INVALID"),
        ("a.png", "image/png", "9", 400, "INVALID"),
        ("a.png", "image/png", 9.5, 400, "INVALID"),
        ("a.png", None, 9, 400, "INVALID"),
        (None, "image/png", 9, 400, "INVALID"),
        ("x" * 1001, "image/png", 9, 400, "INVALID"),
    ],
)
async def test_what_can_not_be_announced(uploader: Uploader, name, mime, size, status, code):
    answer = await uploader.init(name, mime, size)
    assert refused(answer) == (status, code)


@pytest.mark.parametrize(
    ("said", "shown", "address"),
    [
        ("../../etc/passwd", "passwd", "passwd.png"),
        ("..\\..\\windows\\win.ini", "win.ini", "win.png"),
        ("/etc/shadow", "shadow", "shadow.png"),
        ("a\0b\r\nSet-Cookie: x=1.png", "a b Set-Cookie: x=1.png", "a-b-Set-Cookie-x-1.png"),
        ("evil\u202egnp.exe", "evil gnp.exe", "evil-gnp.png"),
        ("photo.html", "photo.html", "photo.png"),
        (".htaccess", "htaccess", "htaccess.png"),
        ("", "file.png", "file.png"),
        ("...", "file.png", "file.png"),
        ("Zoë & Jürgen's.png", "Zoë & Jürgen's.png", "Zoe-Jurgen-s.png"),
        ("写真.png", "写真.png", "file.png"),
        ("שלום 👋.png", "שלום 👋.png", "file.png"),
        ('"; filename=x.html', '"; filename=x.html', "filename-x.png"),
        ("x" * 500 + ".png", "x" * 251 + ".png", "x" * 80 + ".png"),
    ],
)
async def test_names_are_labels_and_lead_nowhere(uploader: Uploader, api: Api, said, shown, address):
    stored = await uploader.stored(name=said)
    assert stored["filename"] == shown
    assert stored["publicUrl"].rpartition("/")[2] == address
    assert (await api.get(path_of(stored["publicUrl"]))).status_code == 200


async def test_only_so_many_files_may_wait(uploader: Uploader, api: Api, visitor: str):
    first = await uploader.stored()
    for _ in range(WAITING_LIMIT - 1):
        await uploader.begun()
    assert refused(await uploader.init()) == (409, "TOO_MANY_UPLOADS")
    body = {"text": "x", "attachments": item(first["publicUrl"])}
    assert (await api.post(MESSAGES, body, token=visitor)).status_code == 202
    assert (await uploader.init()).status_code == 200


async def test_what_was_refused_or_never_came_is_not_waited_for(uploader: Uploader, clock: ManualClock):
    for _ in range(WAITING_LIMIT):
        begun = await uploader.begun("a.png", "image/png", len(HTML))
        assert refused(await uploader.put(begun["uploadUrl"], HTML)) == (415, "FILE_TYPE_REFUSED")
    assert refused(await uploader.put(begun["uploadUrl"], HTML)) == (403, "UPLOAD_EXPIRED")
    for _ in range(WAITING_LIMIT):
        await uploader.begun()
    assert refused(await uploader.init()) == (409, "TOO_MANY_UPLOADS")
    clock.advance(EXPIRES_AFTER)
    await uploader.begun()


async def test_visitors_can_not_keep_agents_from_sending_files(
    uploader: Uploader, api: Api, owner: str, stage, conversation_id: str
):
    for _ in range(WAITING_LIMIT):
        await uploader.begun()
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}/uploads"
    announced = {"originalName": "a.png", "mimeType": "image/png", "size": PNG_SIZE}
    assert (await api.post(path, announced, token=owner)).status_code == 201


async def test_uploads_have_limits_by_address_and_by_conversation(serve: Serve, conversation_id: str):
    for name in ("uploads_per_address", "uploads_per_conversation"):
        uploader = Uploader(serve(limits={name: Rate(2, 60)}), conversation_id)
        assert [(await uploader.init()).status_code for _ in range(3)] == [200, 200, 429]


# What can't be sent


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (HTML, "image/png"),
        (SVG, "image/png"),
        (SVG, "image/gif"),
        (HTML, "application/pdf"),
        (PDF, "image/png"),
        (PNG, "image/jpeg"),
        (b"MZ\x90\0" + bytes(100), "video/mp4"),
        (b"plain text", "audio/mpeg"),
    ],
)
async def test_weakness_8_a_file_is_what_its_bytes_are_not_what_it_says(
    uploader: Uploader, stand: Stand, content: bytes, mime: str
):
    begun = await uploader.begun("a.png", mime, len(content))
    answer = await uploader.put(begun["uploadUrl"], content, mime)
    assert refused(answer) == (415, "FILE_TYPE_REFUSED")
    assert mime in answer.json()["message"]
    assert objects(stand) == {}
    assert refused(await uploader.complete(begun)) == (409, "UPLOAD_INCOMPLETE")


@pytest.mark.parametrize("content", [PNG[:-1], PNG + b"x", b"", PNG * 1000])
@pytest.mark.parametrize("is_declared", [True, False])
async def test_weakness_8_a_file_has_the_size_that_it_was_announced_with(
    uploader: Uploader, stand: Stand, content: bytes, is_declared: bool
):
    begun = await uploader.begun()
    answer = await uploader.put(begun["uploadUrl"], content if is_declared else chunks(content))
    assert refused(answer) == (400, "INVALID")
    assert answer.json()["details"] == {
        "field": "size",
        "rule": f"was announced as {len(PNG)} bytes, and must be exactly that",
    }
    assert objects(stand) == {}


async def test_the_cap_holds_for_what_is_sent(serve: Serve, stand: Stand, conversation_id: str):
    uploader = Uploader(serve(upload_limit=100), conversation_id)
    begun = await uploader.begun()
    for content in (PNG, chunks(PNG)):
        assert refused(await uploader.put(begun["uploadUrl"], content)) == (413, "BODY_TOO_LARGE")
    assert objects(stand) == {}


async def test_weakness_8_an_address_takes_one_file(uploader: Uploader, api: Api):
    begun = await uploader.begun()
    assert (await uploader.put(begun["uploadUrl"], PNG)).status_code == 200
    other = PNG[:-1] + b"!"
    assert refused(await uploader.put(begun["uploadUrl"], other)) == (409, "UPLOAD_USED")
    stored = (await uploader.complete(begun)).json()["data"]
    assert refused(await uploader.put(begun["uploadUrl"], other)) == (409, "UPLOAD_USED")
    assert (await api.get(path_of(stored["publicUrl"]))).content == PNG


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_of_two_files_at_once_one_is_taken(uploader: Uploader, api: Api, stand: Stand):
    begun = await uploader.begun()
    contents = [PNG[:-1] + bytes([n]) for n in range(4)]
    answers = await asyncio.gather(*[uploader.put(begun["uploadUrl"], chunks(c)) for c in contents])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    winner = contents[[answer.status_code for answer in answers].index(200)]
    stored = (await uploader.complete(begun)).json()["data"]
    assert (await api.get(path_of(stored["publicUrl"]))).content == winner


async def test_a_broken_upload_may_be_repeated_a_few_times(uploader: Uploader):
    begun = await uploader.begun()
    for _ in range(ATTEMPTS_LIMIT - 1):
        assert (await uploader.put(begun["uploadUrl"], chunks(PNG[:50]))).status_code == 400
    assert (await uploader.put(begun["uploadUrl"], PNG)).status_code == 200
    begun = await uploader.begun()
    for _ in range(ATTEMPTS_LIMIT):
        await uploader.put(begun["uploadUrl"], chunks(PNG[:50]))
    assert refused(await uploader.put(begun["uploadUrl"], PNG)) == (403, "UPLOAD_EXPIRED")


async def test_an_address_is_good_for_a_while(uploader: Uploader, clock: ManualClock):
    begun = await uploader.begun()
    clock.advance(EXPIRES_AFTER)
    assert refused(await uploader.put(begun["uploadUrl"], PNG)) == (403, "UPLOAD_EXPIRED")
    begun = await uploader.begun()
    clock.advance(EXPIRES_AFTER - timedelta(milliseconds=1))
    assert (await uploader.put(begun["uploadUrl"], PNG)).status_code == 200


async def test_a_guessed_address_takes_nothing(uploader: Uploader):
    begun = await uploader.begun()
    for url in (f"{HOME}/api/gw/v1/webchat/uploads/{'x' * 43}", begun["uploadUrl"][:-1] + "!"):
        assert (await uploader.put(url, PNG)).status_code == 404


async def test_a_compressed_file_is_not_what_it_seems(uploader: Uploader, api: Api):
    begun = await uploader.begun()
    answer = await api.call(
        "PUT", path_of(begun["uploadUrl"]), content=PNG, headers={"content-encoding": "gzip"}
    )
    assert answer.status_code == 415


# What can't be completed


async def test_weakness_8_a_token_completes_once(uploader: Uploader):
    begun = await uploader.begun()
    await uploader.put(begun["uploadUrl"], PNG)
    assert (await uploader.complete(begun)).status_code == 200
    assert refused(await uploader.complete(begun)) == (409, "UPLOAD_USED")


async def test_what_was_not_sent_can_not_be_completed(uploader: Uploader):
    assert refused(await uploader.complete(await uploader.begun())) == (409, "UPLOAD_INCOMPLETE")


@pytest.mark.parametrize("changes", [{"uploadToken": "guessed"}, {"fileId": 12345}, {"uploadToken": ""}])
async def test_without_its_token_and_number_nothing_is_completed(uploader: Uploader, changes):
    begun = await uploader.begun()
    await uploader.put(begun["uploadUrl"], PNG)
    assert refused(await uploader.complete(begun, **changes)) == (404, "UPLOAD_NOT_FOUND")
    assert (await uploader.complete(begun)).status_code == 200


async def test_weakness_8_another_conversations_token_completes_nothing(
    api: Api, stage, uploader: Uploader, db, clock
):
    begun = await uploader.begun()
    await uploader.put(begun["uploadUrl"], PNG)
    own = (await builders.a_message(db, clock, another_visitor(stage))).conversation_id
    theirs = (await builders.a_message(db, clock, (await builders.a_shop(db, clock)).visitor)).conversation_id
    for conversation_id in (own, theirs):
        stranger = Uploader(api, conversation_id)
        assert refused(await stranger.complete(begun)) == (404, "UPLOAD_NOT_FOUND")
        mine = await stranger.begun()
        crossed = begun | {"uploadToken": mine["uploadToken"]}
        assert refused(await stranger.complete(crossed)) == (404, "UPLOAD_NOT_FOUND")
    assert (await uploader.complete(begun)).status_code == 200


# What a message may carry


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/files/a.png",
        "http://localhost:8080/files/unknown/a.png",
        "javascript:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "//evil.example/x.png",
        "file:///etc/passwd",
    ],
)
async def test_weakness_8_a_message_carries_no_address_but_ours(api: Api, visitor: str, uploader, url: str):
    answer = await api.post(MESSAGES, {"text": "x", "attachments": item(url)}, token=visitor)
    assert answer.status_code == 400
    assert answer.json()["details"]["field"].startswith("attachment")


async def test_weakness_8_pictures_inside_a_message_are_small(api: Api, visitor: str):
    """Hundreds of messages are read at a time, with all that is inside of them."""
    start = "data:image/png;base64,iVBORw0KGgoA"
    half = start + "A" * (CUSTOMERS_INLINE_LIMIT // 2 - len(start))
    for urls, status in (
        ([half, half], 202),
        ([half, half + "AAAA"], 400),
        ([start + "A" * CUSTOMERS_INLINE_LIMIT], 400),
    ):
        files = [entry for url in urls for entry in item(url)["items"]]
        answer = await api.post(MESSAGES, {"text": "x", "attachments": {"items": files}}, token=visitor)
        assert answer.status_code == status
        assert status == 202 or answer.json()["details"]["field"] == "attachments"


@pytest.mark.parametrize("change", ["{url}?x=1", "{url}#x", "{url}/", "{elsewhere}"])
async def test_weakness_8_an_address_that_is_nearly_ours_is_not(
    api: Api, visitor: str, uploader: Uploader, change: str
):
    url = (await uploader.stored())["publicUrl"]
    said = change.format(url=url, elsewhere=url.replace("localhost:8080", "evil.example"))
    answer = await api.post(MESSAGES, {"text": "x", "attachments": item(said)}, token=visitor)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "attachments")


async def test_weakness_8_a_message_carries_no_file_of_another_conversation(
    api: Api, stand: Stand, stage, uploader: Uploader, visitor: str, owner: str, db, clock
):
    other = another_visitor(stage)
    conversation = (await builders.a_message(db, clock, other)).conversation_id
    url = (await Uploader(api, conversation).stored())["publicUrl"]
    body = {"text": "x", "attachments": item(url)}
    assert (await api.post(MESSAGES, body, token=visitor)).status_code == 400
    stranger = stand.visit((await builders.a_shop(db, clock)).visitor)
    assert (await api.post(MESSAGES, body, token=stranger)).status_code == 400
    agents = f"/api/shops/{stage.shop.id}/conversations/{uploader.conversation_id}/messages"
    posted = {"sender": "seller", "text": "x", "attachment": {"type": "image", "url": url}}
    assert (await api.post(agents, posted, token=owner)).status_code == 400


async def test_a_message_carries_no_file_before_it_is_complete(
    api: Api, visitor: str, uploader: Uploader, db
):
    begun = await uploader.begun()
    await uploader.put(begun["uploadUrl"], PNG)
    secret = begun["uploadUrl"].rpartition("/")[2]
    file = await db.read(lambda tx: tx.files.by_put_digest(digest(secret)), shop=SYSTEM)
    body = {"text": "x", "attachments": item(file.url)}
    assert (await api.post(MESSAGES, body, token=visitor)).status_code == 400
    assert (await api.get(path_of(file.url))).status_code == 404
    await uploader.complete(begun)
    assert (await api.post(MESSAGES, body, token=visitor)).status_code == 202


async def test_a_first_message_has_no_conversation_and_so_no_files(api: Api, stand: Stand, stage, uploader):
    url = (await uploader.stored())["publicUrl"]
    other = stand.visit(another_visitor(stage))
    assert (await api.post(MESSAGES, {"text": "x", "attachments": item(url)}, token=other)).status_code == 400
    assert (await api.get(MESSAGES, token=other)).json()["messages"] == []


async def test_repeating_with_another_file_is_told(api: Api, visitor: str, uploader: Uploader):
    first, second = [(await uploader.stored())["publicUrl"] for _ in range(2)]
    body = {"text": "", "temp_id": "t-1"}
    assert (await api.post(MESSAGES, body | {"attachments": item(first)}, token=visitor)).status_code == 202
    answer = await api.post(MESSAGES, body | {"attachments": item(second)}, token=visitor)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


# The shop's people


async def test_agents_send_files_to_customers(
    api: Api, stage, owner: str, visitor: str, conversation_id: str
):
    base = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}"
    announced = {"originalName": "Invoice.pdf", "mimeType": "application/pdf", "size": len(PDF)}
    answer = await api.post(f"{base}/uploads", announced, token=owner)
    assert answer.status_code == 201
    begun = answer.json()["data"]
    uploader = Uploader(api, conversation_id)
    assert (await uploader.put(begun["uploadUrl"], PDF)).status_code == 200
    done = await api.post(
        f"{base}/uploads/complete",
        {"fileId": begun["fileId"], "uploadToken": begun["uploadToken"]},
        token=owner,
    )
    stored = done.json()["data"]
    assert (done.json()["success"], stored["contentType"]) == (True, "application/pdf")
    message = {"sender": "seller", "text": "", "attachment": {"type": "image", "url": stored["publicUrl"]}}
    for _ in range(2):
        posted = await api.post(f"{base}/messages", message | {"id": "m-1"}, token=owner)
        assert posted.status_code == 201
    shown = posted.json()["data"]["messages"][-1]["attachment"]
    assert shown == {"type": "document", "url": stored["publicUrl"], "name": "Invoice.pdf"}
    *_, seen = (await api.get(MESSAGES, token=visitor)).json()["messages"]
    assert seen["attachments"]["items"][0]["payload"]["url"] == stored["publicUrl"]


async def test_agents_may_still_point_to_pages_elsewhere(api: Api, stage, owner: str, conversation_id: str):
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}/messages"
    gif = {"type": "gif", "url": "https://gifs.example/wave.gif"}
    posted = await api.post(path, {"sender": "seller", "text": "", "attachment": gif}, token=owner)
    assert posted.json()["data"]["messages"][-1]["attachment"] == gif
