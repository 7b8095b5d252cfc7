"""Ready-made people, shops and conversations, through the use cases and repositories that make real ones."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from adapters.providers.system import RandomIds
from core.application import Application, FileUseCases
from core.conversations.messages import Draft, Message, Sender
from core.conversations.visitor import PostCustomerMessage
from core.files.model import Announced, File
from core.identity.model import Login, User
from core.kernel import UserActor, VisitorActor
from core.shops.model import Member, Shop
from core.shops.policy import Role
from core.shops.use_cases import OpenShop
from ports.clock import Clock
from ports.db import SYSTEM, Database, Transaction

ids = RandomIds()
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(16)


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop with its owner, and a visitor who has said nothing yet."""

    shop: Shop
    owner: UserActor
    visitor: VisitorActor


async def a_user(db: Database, clock: Clock, name: str = "user") -> UserActor:
    unique = ids.new()
    user = User.register(
        id=unique,
        email=f"{unique}@example.com",
        username=f"{name}-{unique}",
        password_hash="-",
        now=clock.now(),
    )
    login = Login.start(id=ids.new(), user_id=user.id, now=clock.now(), lifetime=timedelta(days=30))

    def work(tx: Transaction) -> None:
        tx.users.add(user)
        tx.logins.add(login)

    await db.transact(work, shop=SYSTEM)
    return UserActor(user.id, login.id)


async def a_shop(db: Database, clock: Clock, owner: UserActor | None = None, **settings: object) -> Stage:
    owner = owner or await a_user(db, clock, "owner")
    opened = await OpenShop(db, clock, ids)(owner=owner, name="Lumen Coffee", settings=settings)
    shop = opened.view.shop
    return Stage(shop, owner, VisitorActor(shop.id, ids.new()))


async def a_member(db: Database, clock: Clock, shop: Shop, role: Role = Role.SUPPORT_AGENT) -> UserActor:
    user = await a_user(db, clock, role.value)
    member = Member(user_id=user.user_id, role=role, joined_at=clock.now())
    await db.transact(lambda tx: tx.members.add(member), shop=shop.id)
    return user


async def a_message(
    db: Database, clock: Clock, visitor: VisitorActor, text: str = "Hello", client_id: str | None = None
) -> Message:
    post = PostCustomerMessage(db, clock, ids)
    return (await post(visitor=visitor, draft=Draft(text=text, client_id=client_id))).message


async def a_file(files: FileUseCases, conversation_id: str) -> File:
    """A small picture, uploaded to the conversation."""
    place = await files.locate(conversation_id)
    announced = Announced(name="a.png", media="image/png", size=len(PICTURE))

    async def content() -> AsyncIterator[bytes]:
        yield PICTURE

    begun = await files.begin.by_customer(place=place, announced=announced)
    await files.receive(secret=begun.put_secret, length=None, content=content())
    return await files.complete.by_customer(place=place, number=begun.file.number, token=begun.token)


class Voices:
    """Lets people talk through the application's use cases, for a stand that has one."""

    application: Application

    async def says(self, visitor: VisitorActor, text: str, client_id: str | None = None) -> Message:
        draft = Draft(text=text, client_id=client_id)
        return (await self.application.visitor.post(visitor=visitor, draft=draft)).message

    async def answers(
        self, agent: UserActor, shop_id: str, conversation_id: str, text: str, *, is_note: bool = False
    ) -> Message:
        shown = await self.application.inbox.post(
            actor=agent,
            shop_id=shop_id,
            conversation_id=conversation_id,
            sender=Sender.AGENT,
            draft=Draft(text=text, is_note=is_note),
        )
        return shown.messages[-1]
