"""Ready-made people, shops and conversations, through the use cases and repositories that make real ones."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Unpack

from adapters.providers.system import RandomIds
from core.application import Application, FileUseCases
from core.catalogue.model import Product, ProductChanges
from core.conversations.messages import Draft, Message, Sender
from core.conversations.visitor import PostCustomerMessage
from core.files.model import Announced, File
from core.forms.model import FieldType, Form, FormField
from core.identity.model import Login, User
from core.kernel import UserActor, VisitorActor
from core.orders import stocking
from core.orders.model import Order, OrderLine, OrderStatus
from core.orders.numbers import numbered
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


async def a_product(db: Database, clock: Clock, shop: Shop, **changes: Unpack[ProductChanges]) -> Product:
    """A bag of coffee for 12.90 of which there are 10, unless the test wants another one."""
    said: ProductChanges = {"name": "House Espresso", "price_minor": 1290, "stock": 10}
    product = Product.add(id=ids.new(), changes={**said, **changes}, now=clock.now())
    await db.transact(lambda tx: tx.products.add(product), shop=shop.id)
    return product


async def a_form(db: Database, clock: Clock, shop: Shop, *fields: FormField) -> Form:
    """An order form that asks for a name, unless the test wants other fields."""
    asked = fields or (FormField(id="f1", type=FieldType.SHORT_TEXT, label="Full Name", required=True),)
    form = Form.make(id=ids.new(), name="Order form", fields=asked, now=clock.now())
    await db.transact(lambda tx: tx.forms.add(form), shop=shop.id)
    return form


async def an_order(db: Database, clock: Clock, shop: Shop, product: Product, quantity: int = 1) -> Order:
    """Mara orders so many of a product, which are taken from its stock."""

    def work(tx: Transaction) -> Order:
        order = Order(
            id=ids.new(),
            number=numbered(shop.name, tx.orders.next_number()),
            form_id="form",
            form_name="Order form",
            status=OrderStatus.PENDING,
            lines=(
                OrderLine(
                    product_id=product.id,
                    product_name=product.name,
                    quantity=quantity,
                    unit_price_minor=product.selling_price_minor,
                ),
            ),
            currency=shop.currency,
            submitted_at=clock.now(),
            answers={"Full Name": "Mara"},
        )
        stocking.reserve(tx, order, clock.now())
        order.placed()
        tx.orders.add(order)
        return order

    return await db.transact(work, shop=shop.id)


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
