"""A demo shop to try everything on: made once, the same credentials at every start, never in production."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from bootstrap.secrets import derived
from bootstrap.settings import Environment, Settings
from core.application import Application
from core.catalogue.model import Product, ProductChanges
from core.conversations.messages import Draft, Sender
from core.forms.model import FieldType, Form, FormField
from core.identity.errors import EmailTaken, UsernameTaken
from core.identity.model import User
from core.kernel import UserActor, VisitorActor, named_id
from core.shops.errors import AlreadyMember
from core.shops.model import Shop
from core.shops.policy import Role
from core.shops.use_cases import ADMIN_KEY
from core.sites.errors import HostTaken
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Database, Transaction

SHOP_NAME = "Lumen Coffee"
OWNER_EMAIL = "owner@example.com"
AGENT_EMAIL = "agent@example.com"
SETTINGS: dict[str, Any] = {
    "assistant_config": {"language": "en", "tone": "neutral", "system_prompt": "Be brief and friendly."},
    "keyword_replies": [
        {
            "id": "hours",
            "keywords": "opening hours, open today, when are you open",
            "reply": "We are open Monday to Saturday, 8:00 to 18:00.",
            "match_type": "contains",
            "apply_to": {"chat": True, "comments": False},
            "enabled": True,
        }
    ],
    "knowledge_base": {
        "user_defined": [
            {
                "id": "shipping",
                "title": "Shipping and delivery",
                "content": "Orders leave the next working day. Shipping costs 4.90 and is free from 40.00.",
                "is_custom": True,
                "include_in_quick_replies": False,
            },
            {
                "id": "returns",
                "title": "Returns and refunds",
                "content": "Unopened bags can be returned within 30 days for a full refund.",
                "is_custom": True,
                "include_in_quick_replies": False,
            },
        ],
        "product_data": "",
    },
}
PRODUCTS = (
    ("House Espresso, 500 g", "Chocolate and hazelnut, roasted on Mondays.", 1450, 40),
    ("Ethiopia Filter, 250 g", "Washed, floral, with a note of bergamot.", 1290, 25),
    ("Hand Grinder", "Steel burrs, 30 clicks from espresso to press.", 8900, 6),
)

QUESTIONS = (
    FormField(id="name", type=FieldType.SHORT_TEXT, label="Full Name", required=True),
    FormField(id="phone", type=FieldType.PHONE, label="Phone Number", required=True),
    FormField(id="address", type=FieldType.TEXT_AREA, label="Full Shipping Address", required=True),
    FormField(id="items", type=FieldType.ITEM_SELECTOR, label="Products", required=True),
)


class NotInProduction(Exception):
    """The demo shop has credentials that can be printed again: production must not have one."""


@dataclass(frozen=True, slots=True)
class Demo:
    base_url: str
    owner_email: str
    owner_password: str
    agent_email: str
    agent_password: str
    shop_id: str
    public_key: str
    admin_key: str
    site_origin: str
    """Of a page that is the shop's own."""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Seeder:
    settings: Settings
    secret: str
    application: Application
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(self) -> Demo:
        """Make the demo shop, or what is missing of it. Raises NotInProduction."""
        if self.settings.env is Environment.PRODUCTION:
            raise NotInProduction("The demo shop is for development; it is never made in production.")
        owner, agent = await self._person(OWNER_EMAIL, "owner"), await self._person(AGENT_EMAIL, "agent")
        shop = await self._shop(owner) or await self._open(owner)
        await self._join(shop, owner, agent)
        await self.db.transact(self._stock, shop=shop.id)
        await self._talk(shop, agent)
        hosts = self._hosts()
        await self._settle(shop, owner, hosts)
        return Demo(
            base_url=self.settings.base_url,
            owner_email=OWNER_EMAIL,
            owner_password=self._password("owner"),
            agent_email=AGENT_EMAIL,
            agent_password=self._password("agent"),
            shop_id=shop.id,
            public_key=shop.public_key,
            admin_key=self._admin_key(),
            site_origin=f"http://{hosts[-1]}",
        )

    async def _person(self, email: str, who: str) -> UserActor:
        user = await self._known(email) or await self._registered(email, who)
        return UserActor(user.id, "")

    async def _registered(self, email: str, who: str) -> User:
        """Anybody may have the plain name; the other one is nobody's by chance."""
        for username in (who, f"{who} {self.ids.new()[-6:]}"):
            try:
                register = self.application.identity.register
                signed_in = await register(email=email, password=self._password(who), username=username)
            except UsernameTaken:
                continue
            except EmailTaken:
                break  # by another process that starts at the same time
            else:
                return signed_in.user
        user = await self._known(email)
        if user is None:
            raise RuntimeError(f"the demo account {email} can be neither found nor made")
        return user

    async def _known(self, email: str) -> User | None:
        return await self.db.read(lambda tx: tx.users.by_email(email), shop=SYSTEM)

    async def _shop(self, owner: UserActor) -> Shop | None:
        shops = await self.db.read(lambda tx: tx.shops.of_user(owner.user_id), shop=SYSTEM)
        return next((shop for shop in shops if shop.owner_id == owner.user_id), None)

    async def _open(self, owner: UserActor) -> Shop:
        opened = await self.application.shops.open(
            owner=owner,
            name=SHOP_NAME,
            currency="EUR",
            settings=SETTINGS,
            once="demo",
            admin_key=self._admin_key(),
        )
        return opened.view.shop

    async def _join(self, shop: Shop, owner: UserActor, agent: UserActor) -> None:
        add_member = self.application.team.add
        with suppress(AlreadyMember):
            await add_member(actor=owner, shop_id=shop.id, user_id=agent.user_id, role=Role.SUPPORT_AGENT)

    def _stock(self, tx: Transaction) -> None:
        tx.shops.get(lock=True)
        if not tx.forms.all():
            form = Form.make(id="demo-order", name="Order form", fields=QUESTIONS, now=self.clock.now())
            tx.forms.add(form)
        if tx.products.all():
            return
        for name, description, price_minor, stock in PRODUCTS:
            changes = ProductChanges(name=name, description=description, price_minor=price_minor, stock=stock)
            tx.products.add(Product.add(id=self.ids.new(), changes=changes, now=self.clock.now()))

    async def _talk(self, shop: Shop, agent: UserActor) -> None:
        """Both messages have ids of their own, so that saying them again changes nothing."""
        visitor = VisitorActor(shop.id, named_id("demo visitor", shop.id))
        known = await self.db.read(lambda tx: tx.conversations.of_visitor(visitor.visitor_id), shop=shop.id)
        if known is not None and known.last_sequence > 1:
            return
        question = Draft(text="Hello! Is the grinder good for espresso?", client_id="demo-question")
        answer = Draft(
            text="Hello Mara! Yes, from click 8 on it grinds fine enough.", client_id="demo-answer"
        )
        said = await self.application.visitor.post(visitor=visitor, draft=question, sender_name="Mara")
        await self.application.inbox.post(
            actor=agent,
            shop_id=shop.id,
            conversation_id=said.message.conversation_id,
            sender=Sender.AGENT,
            draft=answer,
        )

    def _hosts(self) -> tuple[str, ...]:
        """Names of this machine, with the port that it is served at."""
        address = urlsplit(self.settings.base_url)
        port = f":{address.port}" if address.port else ""
        return f"localhost{port}", f"shop.localhost{port}"

    async def _settle(self, shop: Shop, owner: UserActor, hosts: tuple[str, ...]) -> None:
        """Make pages of these hosts the shop's; the port may be another one than the last time."""
        sites = self.application.sites
        known = {host for site in await sites.list(actor=owner, shop_id=shop.id) for host in site.hosts}
        if missing := [host for host in hosts if host not in known]:
            with suppress(HostTaken):
                await sites.add(actor=owner, shop_id=shop.id, name="Demo page", hosts=missing)

    def _password(self, who: str) -> str:
        return derived(self.secret, f"demo password of {who}")[:20]

    def _admin_key(self) -> str:
        return ADMIN_KEY + derived(self.secret, "demo admin key")
