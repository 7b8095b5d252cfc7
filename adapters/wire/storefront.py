"""What customers see of a shop, and what they send it: a filled-in form."""

from typing import Any

from msgspec import UNSET, UnsetType

from adapters.wire.base import Loose, Maybe, Out, or_none
from adapters.wire.forms import FormOut, form_out
from adapters.wire.items import ItemOut, Number, public_item_out
from core.catalogue.storefront import Storefront
from core.kernel import Invalid
from core.orders.model import LINES_LIMIT
from core.orders.submitting import Submission
from core.shops.payment_methods import PaymentMethod


class OrderedIn(Loose, kw_only=True):
    """`id` is what other clients call the product's. Names and prices are the catalogue's, whatever comes."""

    product_id: Maybe = UNSET
    id: Maybe = UNSET
    quantity: Number

    @property
    def counted(self) -> tuple[str, int]:
        """Raises Invalid."""
        product_id = self.product_id or self.id
        if not product_id:
            raise Invalid(field="orderedProducts.productId", rule="is required")
        if self.quantity != int(self.quantity) or self.quantity < 0:
            raise Invalid(field="orderedProducts.quantity", rule="must be a whole number from 0 up")
        return product_id, int(self.quantity)


class FilledIn(Loose, kw_only=True, forbid_unknown_fields=True):
    """`data` holds the answers by the labels of the form's fields; `paymentMethod` is an id or a name.

    What the server says of an order may be there, and is passed over.
    """

    data: dict[str, Any]
    ordered_products: list[OrderedIn] | UnsetType | None = UNSET
    payment_method: Maybe = UNSET
    payment_screenshot_url: Maybe = UNSET
    customer_name: Maybe = UNSET
    submission_id: Any = UNSET
    order_id: Any = UNSET
    form_id: Any = UNSET
    form_name: Any = UNSET
    status: Any = UNSET
    submitted_at: Any = UNSET

    def submission(self) -> Submission:
        """Raises Invalid."""
        ordered = self.ordered_products if isinstance(self.ordered_products, list) else []
        if len(ordered) > LINES_LIMIT:
            raise Invalid(field="orderedProducts", rule=f"may hold at most {LINES_LIMIT} entries")
        quantities: dict[str, int] = {}
        for product_id, quantity in (line.counted for line in ordered):
            quantities[product_id] = quantities.get(product_id, 0) + quantity
        return Submission(
            answers=self.data,
            # Pages list products of which nothing was chosen.
            quantities={product_id: count for product_id, count in quantities.items() if count},
            payment_method=or_none(self.payment_method) or None,
            payment_proof=or_none(self.payment_screenshot_url) or None,
            customer_name=or_none(self.customer_name) or None,
        )


class PaymentMethodOut(Out, kw_only=True):
    """One that customers may choose."""

    id: str
    name: str
    instructions: str
    qr_code_url: str | UnsetType = UNSET
    requires_proof: bool
    enabled: bool


class StorefrontOut(Out, kw_only=True):
    id: str
    name: str
    logo_url: str | UnsetType = UNSET
    currency: str
    items: list[ItemOut]
    forms: list[FormOut]
    payment_methods: list[PaymentMethodOut]


def storefront_out(storefront: Storefront) -> StorefrontOut:
    shop = storefront.shop
    return StorefrontOut(
        id=shop.id,
        name=shop.name,
        logo_url=shop.settings.get("logo_url") or UNSET,
        currency=shop.currency,
        items=[public_item_out(product, shop.currency) for product in storefront.products],
        forms=[form_out(form) for form in storefront.forms],
        payment_methods=[_payment_method_out(method) for method in storefront.payment_methods],
    )


def _payment_method_out(method: PaymentMethod) -> PaymentMethodOut:
    return PaymentMethodOut(
        id=method.id,
        name=method.name,
        instructions=method.instructions,
        qr_code_url=method.qr_code_url or UNSET,
        requires_proof=method.requires_proof,
        enabled=True,
    )
