"""Forms, as the shop's people keep them."""

import asyncio

import pytest

from adapters.wire.forms import OTHER_TYPES, TYPES
from core.shops.policy import Role
from tests import builders
from tests.databases import KINDS
from tests.http.stand import Api, Stand

KEY = {"idempotency-key": "a-key-of-the-client"}
WHOLE = {
    "id": "f1",
    "type": "Dropdown",
    "label": "Size",
    "required": True,
    "placeholder": "Choose",
    "options": ["S", "M"],
    "itemIds": ["p1"],
    "paymentMethodIds": ["m1"],
}


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/forms"


@pytest.fixture
async def form(db, clock, stage):
    return await builders.a_form(db, clock, stage.shop)


async def test_every_field_of_a_form_comes_back(api: Api, owner: str, path: str):
    answer = await api.post(path, {"name": " Booking ", "fields": [WHOLE]}, token=owner)
    assert answer.status_code == 201
    form = answer.json()["data"]
    assert form == {"id": form["id"], "name": "Booking", "fields": [WHOLE]}
    assert (await api.get(path)).json()["data"] == [form]


@pytest.mark.parametrize("kind", [*TYPES, *OTHER_TYPES])
async def test_every_type_of_field_is_kept_as_it_is(api: Api, owner: str, path: str, kind: str):
    sent = {"name": "Form", "fields": [{"type": kind, "label": "Question"}]}
    (field,) = (await api.post(path, sent, token=owner)).json()["data"]["fields"]
    assert field == {"id": field["id"], "type": kind, "label": "Question", "required": False}
    assert field["id"]


async def test_other_spellings_are_understood(api: Api, owner: str, path: str):
    sent = {
        "name": "Form",
        "fields": [
            {"type": "short text", "name": " Your name ", "item_ids": ["p1"], "payment_method_ids": []},
            {"type": "Text Area", "label": "Label", "name": "name", "required": None, "unknown": 1},
        ],
    }
    first, second = (await api.post(path, sent, token=owner)).json()["data"]["fields"]
    assert (first["type"], first["label"], first["itemIds"]) == ("Short Text", "Your name", ["p1"])
    assert (second["label"], second["required"]) == ("Label", False)


async def test_what_is_not_sent_stays(api: Api, owner: str, path: str, form):
    before = (await api.get(path)).json()["data"][0]
    named = (await api.put(f"{path}/{form.id}", {"name": "Renamed"}, token=owner)).json()["data"]
    assert named == before | {"name": "Renamed"}
    answer = await api.put(f"{path}/{form.id}", {"fields": [WHOLE]}, token=owner)
    assert answer.json()["data"] == {"id": form.id, "name": "Renamed", "fields": [WHOLE]}
    for part in ({}, {"name": None, "fields": None}, {"id": "other"}, answer.json()["data"]):
        again = await api.put(f"{path}/{form.id}", part, token=owner)
        assert (again.status_code, again.json()) == (200, answer.json())
    cleared = await api.put(f"{path}/{form.id}", {"fields": []}, token=owner)
    assert cleared.json()["data"]["fields"] == []
    assert (await api.get(path)).json()["data"] == [cleared.json()["data"]]


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": 1}, "name"),
        ({"fields": {}}, "fields"),
        ({"fields": [{"label": "x"}]}, "fields.type"),
        ({"fields": [{"label": "x", "type": "Signature"}]}, "fields.type"),
        ({"fields": [{"type": "Email"}]}, "fields.label"),
        ({"fields": [{"type": "Email", "label": " "}]}, "fields.label"),
        ({"fields": [{"type": "Email", "label": "x" * 256}]}, "fields.label"),
        ({"fields": [{"type": "Email", "label": "x", "required": "yes"}]}, "fields[0].required"),
        ({"fields": [{"type": "Dropdown", "label": "x", "options": "a,b"}]}, "fields[0].options"),
        ({"fields": [{"type": "Dropdown", "label": "x", "options": ["a"] * 1_001}]}, "fields.options"),
        ({"fields": [{"type": "Dropdown", "label": "x", "options": ["a" * 1_001]}]}, "fields.options"),
        ({"fields": [{"type": "Dropdown", "label": "x", "placeholder": "a" * 1_001}]}, "fields.placeholder"),
        ({"fields": [{"type": "Email", "label": "x", "id": "a" * 129}]}, "fields.id"),
        ({"fields": [{"type": "Item Selector", "label": "x", "itemIds": ["a" * 129]}]}, "fields"),
        ({"fields": [{"type": "Email", "label": "x"}] * 201}, "fields"),
    ],
)
async def test_what_cant_be_is_refused(api: Api, owner: str, path: str, form, part: dict, field: str):
    before = (await api.get(path)).json()
    for answer in (
        await api.put(f"{path}/{form.id}", part, token=owner),
        await api.post(path, {"name": "Form"} | part, token=owner),
    ):
        assert answer.status_code == 400, answer.text
        assert answer.json()["details"]["field"] == field
    assert (await api.get(path)).json() == before


async def test_a_form_needs_a_name(api: Api, owner: str, path: str):
    for body in ({}, {"fields": []}, {"name": None}):
        answer = await api.post(path, body, token=owner)
        assert (answer.status_code, answer.json()["details"]["field"]) == (400, "name")


async def test_a_deleted_form_takes_no_more_answers_and_its_orders_stay(
    api: Api, owner: str, path: str, form, stage
):
    filled = {"data": {"Full Name": "Mara"}}
    assert (await api.post(f"{path}/{form.id}/submissions", filled)).status_code == 201
    answer = await api.delete(f"{path}/{form.id}", token=owner)
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": form.id})
    for gone in (
        await api.delete(f"{path}/{form.id}", token=owner),
        await api.put(f"{path}/{form.id}", {}, token=owner),
        await api.post(f"{path}/{form.id}/submissions", filled),
    ):
        assert (gone.status_code, gone.json()["code"]) == (404, "form_not_found")
    assert (await api.get(path)).json()["data"] == []
    (order,) = (await api.get(f"/api/shops/{stage.shop.id}/orders", token=owner)).json()["data"]
    assert (order["formId"], order["formName"]) == (form.id, "Order form")


async def test_another_shops_form_is_not_found(api: Api, stand: Stand, form, db, clock):
    other = await builders.a_shop(db, clock)
    path, token = f"/api/shops/{other.shop.id}/forms/{form.id}", stand.access(other.owner)
    for answer in (
        await api.put(path, {"name": "Mine"}, token=token),
        await api.delete(path, token=token),
        await api.post(f"{path}/submissions", {"data": {}}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "form_not_found")


async def test_who_may_not_keep_forms_is_told_so_first(api: Api, stand: Stand, path: str, stage, db, clock):
    token = stand.access(await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT))
    answer = await api.post(path, {"name": ""}, token=token)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
@pytest.mark.parametrize("by", ["key", "id"])
async def test_twenty_at_once_add_one_form(api: Api, owner: str, path: str, by: str):
    body = {"name": "Order", "fields": [{"type": "Email", "label": "Email"}, WHOLE]}
    headers, own = (KEY, {}) if by == "key" else ({}, {"id": "form_1"})
    answers = await asyncio.gather(
        *[api.post(path, body | own, token=owner, headers=headers) for _ in range(20)]
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await api.get(path)).json()["data"]) == 1


async def test_another_form_under_the_same_key_or_id_is_refused(api: Api, owner: str, path: str):
    fields = [{"type": "Email", "label": "Email"}]
    for own, headers, code in (({"id": "form_1"}, {}, "form_exists"), ({}, KEY, "idempotency_key_reused")):
        body = {"name": "Order", "fields": fields} | own
        assert (await api.post(path, body, token=owner, headers=headers)).status_code == 201
        for other in ({"name": "Other"}, {"fields": []}, {"fields": [fields[0] | {"required": True}]}):
            answer = await api.post(path, body | other, token=owner, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (await api.post(path, {"name": "x", "id": "a b"}, token=owner)).status_code == 400
