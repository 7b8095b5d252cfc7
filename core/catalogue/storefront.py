"""What everybody may see of a shop: what it sells, what it asks, how it is paid."""

from dataclasses import dataclass

from core.catalogue.model import Product
from core.forms.model import Form
from core.shops.model import Shop
from core.shops.payment_methods import PaymentMethod, enabled_methods
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Storefront:
    shop: Shop
    products: list[Product]
    forms: list[Form]
    payment_methods: list[PaymentMethod]


@dataclass(frozen=True, slots=True)
class ReadStorefront:
    db: Database

    async def __call__(self, *, shop_id: str) -> Storefront:
        """Raises ShopNotFound."""

        def work(tx: Transaction) -> Storefront:
            shop = tx.shops.get()
            return Storefront(
                shop=shop,
                products=tx.products.all(),
                forms=tx.forms.all(),
                payment_methods=enabled_methods(shop.settings),
            )

        return await self.db.read(work, shop=shop_id)
