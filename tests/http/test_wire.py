"""Money and names on their way between the wire and the inside."""

from datetime import UTC, datetime

import msgspec
import pytest

from adapters.http.codec import decode_body
from adapters.wire.base import ms
from adapters.wire.forms import FormPart
from adapters.wire.items import ItemPart
from adapters.wire.money import major, minor, nearest_minor
from adapters.wire.settings import ShopSettings, document_of, settings_of
from adapters.wire.webchat import message_out
from core.conversations.messages import Attachment, AttachmentKind, Message, Sender
from core.kernel import Invalid
from core.money import DIGITS

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("units", "currency", "price"),
    [
        (1999, "USD", 19.99),
        (2000, "USD", 20),
        (5, "EUR", 0.05),
        (1999, "JPY", 1999),
        (1234, "KWD", 1.234),
        (1000, "IQD", 1),
        (12345, "CLF", 1.2345),
        (10, "ALL", 0.1),
        (0, "XOF", 0),
        (10**15, "USD", 10**13),
        (123456789012345, "USD", 1234567890123.45),
    ],
)
def test_prices_change_units_both_ways(units: int, currency: str, price: float):
    assert major(units, currency) == price
    assert minor(price, currency) == units


@pytest.mark.parametrize("price", [19.999, -1, 1e300, float("nan"), float("inf"), 10**16])
def test_impossible_prices_are_refused(price: float):
    with pytest.raises(Invalid):
        minor(price, "USD")


def test_the_currencies_that_differ_from_two_digits_are_isos():
    assert len(DIGITS) == 26
    assert {DIGITS[code] for code in ("JPY", "KRW", "VND", "UGX")} == {0}
    assert {DIGITS[code] for code in ("KWD", "BHD", "IQD", "TND")} == {3}
    assert "USD" not in DIGITS
    assert "RSD" not in DIGITS


def test_the_settings_document_survives_its_way_into_the_database():
    document = document_of(ShopSettings())
    assert all("_" in name or name.islower() for name in document)
    assert document["assistant_config"]["system_prompt"] == ""
    assert document_of(settings_of(document)) == document
    assert document_of(settings_of({})) == document


def test_a_document_of_an_older_release_is_completed():
    settings = settings_of({"quick_note": "kept", "gone": 1, "keyword_replies": [{"keywords": "a"}]})
    assert settings.quick_note == "kept"
    assert settings.keyword_replies[0].match_type == "contains"


def test_times_are_whole_milliseconds():
    assert ms(datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)) == 1_772_366_400_123


@pytest.mark.parametrize("name", ["a.png", None])
def test_a_message_that_is_only_a_file_has_a_text_for_the_widget(name: str | None):
    message = Message(
        id="m",
        conversation_id="c",
        sequence=1,
        sender=Sender.CUSTOMER,
        sender_id=None,
        sender_name=None,
        text="",
        attachments=(Attachment(kind=AttachmentKind.GIF, url=PICTURE, name=name),),
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    out = message_out(message, "shop")
    assert out.text == f"[Attachment: {name or 'file'}]"
    assert out.attachments.items[0].type == "image"


@pytest.mark.parametrize(
    ("price", "currency", "units"),
    [
        (12.345, "USD", 1235),
        (12.344999, "USD", 1234),
        (0.5, "JPY", 1),
        (1.00005, "CLF", 10001),
        (2.675, "USD", 268),
    ],
)
def test_prices_of_whole_documents_are_rounded_half_up(price: float, currency: str, units: int):
    assert nearest_minor(price, currency) == units


@pytest.mark.parametrize("price", [-1, 1e300, float("nan"), 10**16])
def test_impossible_prices_are_not_rounded_to_possible_ones(price: float):
    with pytest.raises(Invalid):
        nearest_minor(price, "USD")


def an_item(**sent: object) -> ItemPart:
    return decode_body(msgspec.json.encode(sent), ItemPart, keeps_nul=False)


def test_an_item_of_a_whole_document_does_not_hold_up_the_rest():
    item = an_item(
        retailPrice=9.999,
        original_price=None,
        promoPrice=0.005,
        stock=2.5,
        duration=30.4,
        name=None,
        itemType=None,
    )
    assert item.changes("USD", exact=False) == {
        "price_minor": 1000,
        "cost_minor": None,
        "promo_price_minor": 1,
        "stock": 3,
        "duration_minutes": 30,
    }
    with pytest.raises(Invalid):
        item.changes("USD")


def test_what_an_item_does_not_say_is_not_changed():
    assert an_item(id="p1", stockHistory=[], unknown=1).changes("USD") == {}
    assert an_item(imageUrl="", category=None, buttons=None).changes("USD") == {
        "image_url": None,
        "category": None,
        "buttons": (),
    }


def test_fields_of_a_whole_document_keep_types_that_are_not_known():
    sent = {"fields": [{"type": "Signature", "label": "Sign"}, {"type": "EMAIL", "label": "Mail"}]}
    form = decode_body(msgspec.json.encode(sent), FormPart, keeps_nul=False)
    kept = form.all_fields(exact=False)
    assert [field.type for field in kept or ()] == ["Signature", "email"]
    with pytest.raises(Invalid):
        form.all_fields()
