"""Posting and reading: one order, the same client id once, and texts that are what they were."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.system import RandomIds
from core.conversations.errors import ConversationNotFound, SessionNotFound
from core.conversations.inbox import (
    ChangeConversation,
    DeleteMessage,
    ListConversations,
    MarkReadByAgent,
    PostFromInbox,
    StartConversation,
)
from core.conversations.joining import JoinShop
from core.conversations.messages import TEXT_LIMIT, Attachment, AttachmentKind, Draft, Sender, cleaned
from core.conversations.model import Channel, Status
from core.conversations.visitor import MarkReadByCustomer, OpenSession, PostCustomerMessage, ReadHistory
from core.kernel import Forbidden, Invalid, KeyReused, ShopKeyActor, VisitorActor
from core.shops.errors import ShopNotFound
from core.shops.members import AddMember
from core.shops.policy import PERMISSIONS, Permission, Role, may_assign
from core.shops.use_cases import ReadShop
from tests.builders import a_member, a_message, a_shop, a_user

ids = RandomIds()
PICTURE = Attachment(kind=AttachmentKind.IMAGE, url="data:image/png;base64,iVBORw0KGgo=")


async def test_twenty_senders_with_one_client_id_store_one_message(db, clock):
    stage = await a_shop(db, clock)
    post = PostCustomerMessage(db, clock, ids)
    draft = Draft(text="Hello", client_id="same")
    posted = await asyncio.gather(*[post(visitor=stage.visitor, draft=draft) for _ in range(20)])
    assert len({entry.message.id for entry in posted}) == 1
    assert sum(not entry.is_repeat for entry in posted) == 1
    history = await ReadHistory(db)(visitor=stage.visitor)
    assert [message.sequence for message in history.messages] == [1]


async def test_a_client_id_is_good_for_one_thing(db, clock):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor, "Hello", client_id="c")
    with pytest.raises(KeyReused):
        await a_message(db, clock, stage.visitor, "Something else", client_id="c")
    post = PostFromInbox(db, clock, ids)
    where = {"actor": stage.owner, "shop_id": stage.shop.id, "conversation_id": message.conversation_id}
    await post(**where, sender=Sender.AGENT, draft=Draft(text="Hi", client_id="c"))
    view = await post(**where, sender=Sender.AGENT, draft=Draft(text="Hi", client_id="c"))
    assert [entry.text for entry in view.messages] == ["Hello", "Hi"]
    with pytest.raises(KeyReused):
        await post(**where, sender=Sender.AGENT, draft=Draft(text="Bye", client_id="c"))


async def test_the_same_text_twice_is_two_messages(db, clock):
    stage = await a_shop(db, clock)
    first = await a_message(db, clock, stage.visitor, "Hello")
    second = await a_message(db, clock, stage.visitor, "Hello")
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.id != second.id


async def test_first_messages_at_once_open_one_conversation_with_one_order(db, clock):
    stage = await a_shop(db, clock)
    messages = await asyncio.gather(*[a_message(db, clock, stage.visitor, str(n)) for n in range(20)])
    assert len({message.conversation_id for message in messages}) == 1
    assert sorted(message.sequence for message in messages) == list(range(1, 21))


async def test_one_client_id_in_two_conversations_is_two_messages(db, clock):
    stage = await a_shop(db, clock)
    other = VisitorActor(stage.shop.id, ids.new())
    first = await a_message(db, clock, stage.visitor, client_id="c")
    second = await a_message(db, clock, other, client_id="c")
    assert first.conversation_id != second.conversation_id


async def test_history_pages_in_both_directions_without_notes(db, clock):
    stage = await a_shop(db, clock)
    first = await a_message(db, clock, stage.visitor, "1")
    await PostFromInbox(db, clock, ids)(
        actor=stage.owner,
        shop_id=stage.shop.id,
        conversation_id=first.conversation_id,
        sender=Sender.AGENT,
        draft=Draft(text="secret", is_note=True),
    )
    for number in range(3, 8):
        await a_message(db, clock, stage.visitor, str(number))
    read = ReadHistory(db)

    async def page(**kwargs):
        history = await read(visitor=stage.visitor, **kwargs)
        return [message.sequence for message in history.messages], history.has_more

    assert await page() == ([1, 3, 4, 5, 6, 7], False)
    assert await page(limit=2) == ([6, 7], True)
    assert await page(limit=2, before=6) == ([4, 5], True)
    assert await page(limit=2, before=3) == ([1], False)
    assert await page(after=0, limit=2) == ([1, 3], True)
    assert await page(after=5) == ([6, 7], False)
    assert await page(after=7) == ([], False)


async def test_a_session_is_its_visitors_alone(db, clock):
    stage = await a_shop(db, clock)
    other = VisitorActor(stage.shop.id, ids.new())
    opened = await OpenSession(db, clock, ids)(visitor=stage.visitor)
    again = await OpenSession(db, clock, ids)(visitor=stage.visitor)
    assert opened.session == again.session
    with pytest.raises(SessionNotFound):
        await ReadHistory(db)(visitor=other, session_id=opened.session.id)
    with pytest.raises(SessionNotFound):
        await PostCustomerMessage(db, clock, ids)(
            visitor=other, draft=Draft(text="x"), session_id=opened.session.id
        )


async def test_a_closed_conversation_is_opened_again_by_the_next_message(db, clock):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    where = {"actor": stage.owner, "shop_id": stage.shop.id, "conversation_id": message.conversation_id}
    closed = await ChangeConversation(db, clock)(**where, changes={"status": Status.CLOSED, "is_read": True})
    assert (closed.conversation.status, closed.conversation.is_read) == (Status.CLOSED, True)
    await a_message(db, clock, stage.visitor, "one more thing")
    (view,) = await ListConversations(db)(actor=stage.owner, shop_id=stage.shop.id)
    assert (view.conversation.status, view.conversation.is_read) == (Status.OPEN, False)
    assert view.conversation.id == message.conversation_id


async def test_read_marks_move_forward_only(db, clock):
    stage = await a_shop(db, clock)
    for _ in range(3):
        message = await a_message(db, clock, stage.visitor)
    by_agent, by_customer = MarkReadByAgent(db), MarkReadByCustomer(db)
    where = {"actor": stage.owner, "shop_id": stage.shop.id, "conversation_id": message.conversation_id}
    for sequence in (2, 1, 99):
        await by_agent(**where, sequence=sequence)
        await by_customer(visitor=stage.visitor, sequence=sequence)
    (view,) = await ListConversations(db)(actor=stage.owner, shop_id=stage.shop.id)
    conversation = view.conversation
    assert (conversation.agent_read_sequence, conversation.customer_read_sequence) == (3, 3)
    assert conversation.is_read
    told = await db.read(lambda tx: tx.stream.after(0, 100), shop=stage.shop.id)
    marks = [(e.event.reader, e.event.sequence) for e in told if e.event.topic == "messages.read"]
    assert marks == [("agent", 2), ("agent", 3)]


async def test_a_deleted_messages_number_is_not_given_out_again(db, clock):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    before = await db.read(lambda tx: tx.conversations.get(message.conversation_id), shop=stage.shop.id)
    await DeleteMessage(db)(
        actor=stage.owner,
        shop_id=stage.shop.id,
        conversation_id=message.conversation_id,
        message_id=message.id,
    )
    after = await db.read(lambda tx: tx.conversations.get(message.conversation_id), shop=stage.shop.id)
    assert after.version > before.version, "whoever keeps what the conversation looked like has to notice"
    assert (await a_message(db, clock, stage.visitor)).sequence == 2


async def test_strangers_learn_nothing_of_a_shop(db, clock):
    ours, theirs = await a_shop(db, clock), await a_shop(db, clock)
    message = await a_message(db, clock, ours.visitor)
    for actor in (theirs.owner, await a_user(db, clock), ShopKeyActor(theirs.shop.id)):
        with pytest.raises(ShopNotFound):
            await ReadShop(db)(actor=actor, shop_id=ours.shop.id)
        with pytest.raises(ShopNotFound):
            await JoinShop(db)(actor=actor, shop_id=ours.shop.id)
        with pytest.raises(ShopNotFound):
            await PostFromInbox(db, clock, ids)(
                actor=actor,
                shop_id=ours.shop.id,
                conversation_id=message.conversation_id,
                sender=Sender.AGENT,
                draft=Draft(text="x"),
            )
    with pytest.raises(ConversationNotFound):
        await ChangeConversation(db, clock)(
            actor=theirs.owner,
            shop_id=theirs.shop.id,
            conversation_id=message.conversation_id,
            changes={"notes": "x"},
        )


async def test_an_assignee_must_be_of_the_team(db, clock):
    stage, stranger = await a_shop(db, clock), await a_user(db, clock)
    agent = await a_member(db, clock, stage.shop)
    message = await a_message(db, clock, stage.visitor)
    change = ChangeConversation(db, clock)
    where = {"actor": agent, "shop_id": stage.shop.id, "conversation_id": message.conversation_id}
    with pytest.raises(Invalid, match="assignee_id"):
        await change(**where, changes={"assignee_id": stranger.user_id})
    view = await change(**where, changes={"assignee_id": agent.user_id, "tags": (" vip ", "vip", "new")})
    assert (view.conversation.assignee_id, view.conversation.tags) == (agent.user_id, ("vip", "new"))
    await db.transact(lambda tx: tx.members.remove(stage.owner.user_id), shop=stage.shop.id)
    view = await change(**where, changes={"assignee_id": stage.owner.user_id})
    assert view.conversation.assignee_id == stage.owner.user_id, "the owner, listed in the team or not"


async def test_a_visitor_sends_pictures_only_and_nobody_else_signs_for_an_agent(db, clock):
    stage = await a_shop(db, clock)
    post = PostCustomerMessage(db, clock, ids)
    posted = await post(visitor=stage.visitor, draft=Draft(text="", attachments=(PICTURE,)))
    assert posted.message.attachments == (PICTURE,)
    link = Attachment(kind=AttachmentKind.DOCUMENT, url="https://evil.example/x.exe")
    with pytest.raises(Invalid, match="attachments"):
        await post(visitor=stage.visitor, draft=Draft(text="", attachments=(link,)))
    view = await PostFromInbox(db, clock, ids)(
        actor=stage.owner,
        shop_id=stage.shop.id,
        conversation_id=posted.message.conversation_id,
        sender=Sender.AGENT,
        draft=Draft(text="Nice"),
    )
    assert view.messages[-1].sender_id == stage.owner.user_id


async def test_a_conversation_can_be_started_by_hand(db, clock):
    stage = await a_shop(db, clock)
    start = StartConversation(db, clock, ids)
    view = await start(
        actor=stage.owner, shop_id=stage.shop.id, customer_name="  Mara \n Lind ", channel=Channel.WHATSAPP
    )
    assert view.conversation.customer_name == "Mara Lind"
    with pytest.raises(Invalid, match="customer_name"):
        await start(actor=stage.owner, shop_id=stage.shop.id, customer_name=" \x00 ", channel=Channel.WEB)


@pytest.mark.parametrize("adding", Role)
@pytest.mark.parametrize("added", Role)
async def test_who_may_add_whom(db, clock, adding, added):
    stage = await a_shop(db, clock)
    actor = stage.owner if adding is Role.OWNER else await a_member(db, clock, stage.shop, adding)
    person = await a_user(db, clock)
    add = AddMember(db, clock)(actor=actor, shop_id=stage.shop.id, user_id=person.user_id, role=added)
    if may_assign(adding, added):
        assert (await add).member.role is added
    else:
        with pytest.raises(Forbidden):
            await add


def test_the_table_of_permissions_is_the_contracts():
    everything = set(Permission)
    assert PERMISSIONS[Role.OWNER] == everything
    owner_only = {Permission.MANAGE_SUBSCRIPTION, Permission.VIEW_BILLING_HISTORY, Permission.DELETE_SHOP}
    assert PERMISSIONS[Role.ADMIN] == everything - owner_only
    admins = {p for p in Permission if "accountant" in p or p in {"manage_team", "manage_integrations"}}
    assert PERMISSIONS[Role.ORDER_MANAGER] == everything - owner_only - admins
    products = {Permission.VIEW_PRODUCTS, Permission.MANAGE_PRODUCTS, Permission.MANAGE_SETTINGS}
    assert PERMISSIONS[Role.SUPPORT_AGENT] == everything - owner_only - admins - products


@given(st.text(max_size=200))
def test_cleaning_keeps_every_script_and_drops_only_controls(text):
    result = cleaned(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in result)
    visible = [c for c in text if c.isprintable()]
    assert [c for c in result if c.isprintable()] == visible
    assert cleaned(result) == result


@pytest.mark.parametrize(
    "text",
    [
        "مرحبا، كيف حالك؟",
        "שלום",
        "こんにちは 👩‍👩‍👧",
        "မင်္ဂလာပါ",
        "a\tb\nc",
        "e\u0301 ≠ é",
        "\u202bעברית\u202c",
    ],
)
def test_texts_of_any_script_stay_what_they_were(text):
    assert Draft(text=text).text == text


def test_the_limit_of_a_text_is_five_thousand_characters():
    assert len(Draft(text="é" * TEXT_LIMIT).text) == TEXT_LIMIT
    assert len(Draft(text="é" * TEXT_LIMIT + "\x00").text) == TEXT_LIMIT
    with pytest.raises(Invalid, match="text may have at most 5000 characters"):
        Draft(text="é" * (TEXT_LIMIT + 1))


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x07", "\u0085"])
def test_a_message_without_anything_to_say_is_refused(text):
    with pytest.raises(Invalid, match="text must not be empty"):
        Draft(text=text)
    assert Draft(text=text, attachments=(PICTURE,))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html;base64,PGI+",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:image/png,plain",
        "data:image/png;base64,PGh0bWw+PHNjcmlwdD4=",
        "data:image/jpeg;base64,iVBORw0KGgo=",
        "file:///etc/passwd",
        "https://a b",
        'https://x/"onload=',
        "",
    ],
)
def test_an_attachment_is_a_web_address_or_a_picture(url):
    with pytest.raises(Invalid, match=r"attachment\.url"):
        Attachment(kind=AttachmentKind.IMAGE, url=url)


def test_a_text_is_as_long_as_it_is_when_cleaned_but_only_so_much_is_cleaned():
    assert len(Draft(text="a" + "\r\n" * (TEXT_LIMIT - 1)).text) == TEXT_LIMIT
    for text in ("a" * (TEXT_LIMIT + 1), "a" + "\a" * 2 * TEXT_LIMIT):
        with pytest.raises(Invalid, match="at most"):
            Draft(text=text)
