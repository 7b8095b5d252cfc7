"""Files out of conversations: to whom, how, and for how long."""

from datetime import timedelta

import pytest

from adapters.providers.memory import ManualClock
from core.files.model import KEPT_UNUSED
from ports.db import SYSTEM
from ports.storage import StorageDown
from tests.databases import KINDS
from tests.http.stand import Api, Stand
from tests.http.uploader import PDF, PNG, Uploader, item, path_of

MESSAGES = "/api/chat/messages"


@pytest.fixture
def uploader(api: Api, conversation_id: str) -> Uploader:
    return Uploader(api, conversation_id)


@pytest.fixture
async def picture(uploader: Uploader) -> str:
    """The path of a stored one."""
    return path_of((await uploader.stored())["publicUrl"])


async def send(api: Api, visitor: str, path: str) -> str:
    body = {"text": "x", "attachments": item(f"http://localhost:8080{path}")}
    answer = await api.post(MESSAGES, body, token=visitor)
    assert answer.status_code == 202, answer.text
    return answer.json()["data"]["message_id"]


async def test_a_picture_shows_in_the_page_and_runs_nothing(api: Api, picture: str):
    answer = await api.get(picture)
    assert (answer.status_code, answer.content) == (200, PNG)
    headers = answer.headers
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(PNG))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "inline; filename=\"a.png\"; filename*=UTF-8''a.png"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["accept-ranges"] == "bytes"
    assert "set-cookie" not in headers


async def test_anything_else_is_a_download_with_its_own_name(api: Api, uploader: Uploader):
    stored = await uploader.stored(PDF, 'Räch nung "1";é.pdf', "application/pdf")
    headers = (await api.get(path_of(stored["publicUrl"]))).headers
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == (
        "attachment; filename=\"Rach-nung-1-e.pdf\"; filename*=UTF-8''R%C3%A4ch%20nung%20%221%22%3B%C3%A9.pdf"
    )


async def test_to_head_the_same_is_told_without_the_file(api: Api, picture: str):
    told, head = await api.get(picture), await api.call("HEAD", picture)
    assert (head.status_code, head.content) == (200, b"")
    volatile = {"x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset", "date"}
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in told.headers.items() if k not in volatile
    }


async def test_what_a_browser_has_is_not_sent_again(api: Api, picture: str):
    etag = (await api.get(picture)).headers["etag"]
    for said in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await api.get(picture, headers={"if-none-match": said})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert (await api.get(picture, headers={"if-none-match": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, len(PNG) - 1),
        ("bytes=5-9", 5, 9),
        ("bytes=5-99999", 5, len(PNG) - 1),
        ("bytes=-5", len(PNG) - 5, len(PNG) - 1),
        ("bytes=-99999", 0, len(PNG) - 1),
        ("Bytes=1-2", 1, 2),
    ],
)
async def test_a_part_can_be_asked_for(api: Api, picture: str, asked: str, first: int, last: int):
    answer = await api.get(picture, headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, PNG[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(PNG)}"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", [f"bytes={len(PNG)}-", "bytes=9999-99999", "bytes=-0"])
async def test_a_part_that_is_not_there_is_refused(api: Api, picture: str, asked: str):
    answer = await api.get(picture, headers={"range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert answer.headers["content-range"] == f"bytes */{len(PNG)}"


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "", f"bytes={'9' * 40}-"]
)
async def test_what_is_no_range_gets_the_whole(api: Api, picture: str, asked: str):
    answer = await api.get(picture, headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, PNG)


async def test_a_part_of_another_version_is_the_whole(api: Api, picture: str):
    etag = (await api.get(picture)).headers["etag"]
    for said, status in ((etag, 206), ('"other"', 200), ("Fri, 20 Nov 2026 12:00:00 GMT", 200)):
        answer = await api.get(picture, headers={"range": "bytes=0-1", "if-range": said})
        assert answer.status_code == status


@pytest.mark.parametrize("change", ["{path}x", "{key}/b.png", "/files/unknown/a.png", "/files/x", "{path}/x"])
async def test_another_address_leads_to_nothing(api: Api, picture: str, change: str):
    answer = await api.get(change.format(path=picture, key=picture.rpartition("/")[0]))
    assert answer.status_code == 404
    assert answer.json().keys() >= {"error", "message", "code"}


async def test_a_file_without_its_content_is_not_found(api: Api, stand: Stand, picture: str):
    stand.container.storage().objects.clear()
    answer = await api.get(picture)
    assert (answer.status_code, answer.json()["code"]) == (404, "FILE_NOT_FOUND")


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
@pytest.mark.parametrize("what", ["message", "conversation"])
async def test_a_file_goes_with_its_message_at_once(
    api: Api, stage, owner: str, visitor: str, picture: str, conversation_id: str, what: str
):
    message_id = await send(api, visitor, picture)
    assert (await api.get(picture)).status_code == 200
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}"
    gone = path if what == "conversation" else f"{path}/messages/{message_id}"
    assert (await api.delete(gone, token=owner)).status_code == 200
    answer = await api.get(picture)
    assert (answer.status_code, answer.json()["code"]) == (404, "FILE_NOT_FOUND")


# Sweeping


async def sweep(stand: Stand) -> int:
    return await stand.application.files.sweep()


def objects(stand: Stand) -> dict[str, bytes]:
    found: dict[str, bytes] = stand.container.storage().objects
    return found


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_what_no_message_carries_is_swept_after_a_day(
    api: Api, stand: Stand, uploader: Uploader, visitor: str, clock: ManualClock
):
    carried, completed = [path_of((await uploader.stored())["publicUrl"]) for _ in range(2)]
    received, begun = await uploader.begun(), await uploader.begun()
    await uploader.put(received["uploadUrl"], PNG)
    await send(api, visitor, carried)
    clock.advance(KEPT_UNUSED)
    assert (await sweep(stand), len(objects(stand))) == (0, 3)
    clock.advance(timedelta(milliseconds=1))
    assert (await sweep(stand), len(objects(stand))) == (2, 1)
    assert await sweep(stand) == 0
    assert (await api.get(carried)).content == PNG
    assert (await api.get(completed)).status_code == 404
    for gone in (received, begun):
        assert (await uploader.complete(gone)).json()["code"] == "UPLOAD_NOT_FOUND"


async def test_the_bytes_go_with_message_and_conversation(
    api: Api, stand: Stand, stage, uploader: Uploader, owner: str, visitor: str, clock: ManualClock
):
    first, second = [path_of((await uploader.stored())["publicUrl"]) for _ in range(2)]
    message_id = await send(api, visitor, first)
    await send(api, visitor, second)
    clock.advance(KEPT_UNUSED * 2)
    assert await sweep(stand) == 0
    owner = stand.access(stage.owner)
    path = f"/api/shops/{stage.shop.id}/conversations/{uploader.conversation_id}"
    await api.delete(f"{path}/messages/{message_id}", token=owner)
    assert (await sweep(stand), len(objects(stand))) == (1, 1)
    await api.delete(path, token=owner)
    assert (await sweep(stand), len(objects(stand))) == (1, 0)


async def test_what_a_broken_upload_left_is_swept(stand: Stand, uploader: Uploader, clock: ManualClock):
    begun = await uploader.begun()
    await uploader.put(begun["uploadUrl"], PNG[:50])
    (key,) = await left_behind(stand)
    objects(stand)[key] = b"half of it"
    clock.advance(KEPT_UNUSED + timedelta(seconds=1))
    assert (await sweep(stand), objects(stand)) == (1, {})
    assert await left_behind(stand) == []


async def left_behind(stand: Stand) -> list[str]:
    later = stand.clock.now() + timedelta(days=9)
    found: list[str] = await stand.container.db().read(lambda tx: tx.objects.orphans(later, 10), shop=SYSTEM)
    return found


async def test_a_sweep_that_was_cut_short_is_finished_by_the_next(
    stand: Stand, uploader: Uploader, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(3):
        await uploader.stored()
    clock.advance(KEPT_UNUSED + timedelta(seconds=1))
    storage = stand.container.storage()
    delete, done = storage.delete, []

    async def twice(key: str) -> None:
        if len(done) == 2:
            raise StorageDown
        done.append(key)
        await delete(key)

    monkeypatch.setattr(storage, "delete", twice)
    with pytest.raises(StorageDown):
        await sweep(stand)
    assert len(objects(stand)) == 1
    monkeypatch.undo()
    assert (await sweep(stand), objects(stand)) == (3, {})


async def test_a_file_that_is_sent_again_lives_on(
    api: Api,
    stand: Stand,
    stage,
    uploader: Uploader,
    owner: str,
    visitor: str,
    picture: str,
    clock: ManualClock,
):
    first = await send(api, visitor, picture)
    clock.advance(KEPT_UNUSED * 2)
    await send(api, stand.visit(stage.visitor), picture)
    path = f"/api/shops/{stage.shop.id}/conversations/{uploader.conversation_id}"
    await api.delete(f"{path}/messages/{first}", token=stand.access(stage.owner))
    clock.advance(KEPT_UNUSED * 2)
    assert await sweep(stand) == 0
    assert (await api.get(picture)).content == PNG
