"""The forms of a shop. Customers see them; the shop's people keep them."""

from dataclasses import dataclass, replace

from core.forms.errors import FormExists
from core.forms.events import FormChanged, FormRemoved
from core.forms.model import FORMS_LIMIT, Form, FormField, with_ids
from core.kernel import Agent, Invalid, KeyReused, UserActor, checked_id, named_id
from core.shops.access import require
from core.shops.policy import Permission
from ports.clock import Clock, Ids
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class ListForms:
    db: Database

    async def __call__(self, *, shop_id: str) -> list[Form]:
        """Oldest first, for everybody. Raises ShopNotFound."""

        def work(tx: Transaction) -> list[Form]:
            tx.shops.get()
            return tx.forms.all()

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class AddForm:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        name: str,
        fields: tuple[FormField, ...],
        own_id: str | None = None,
        once: str | None = None,
    ) -> Form:
        """Add a form, under an id of the caller's own if there is one. Repeating that, or the same `once`,
        adds it once. Fields without an id get one.

        Raises Invalid, FormExists when the id is another form's, or KeyReused when `once` was.
        """
        form_id = _id(actor, shop_id, own_id, once) or self.ids.new()

        def work(tx: Transaction) -> Form:
            require(tx, actor, shop_id, Permission.MANAGE_PRODUCTS)
            form = Form.make(id=form_id, name=name, fields=fields, now=self.clock.now())
            known = tx.forms.by_ids([form_id]).get(form_id)
            if known is not None:
                if not _is_same(known, form):
                    raise FormExists if own_id else KeyReused
                return known
            if len(tx.forms.versions()) >= FORMS_LIMIT:
                raise Invalid(field="forms", rule=f"may be at most {FORMS_LIMIT} per shop")
            form.fields = with_ids(form.fields, self.ids.new)
            tx.forms.add(form)
            tx.record(FormChanged(form_id=form_id))
            return form

        try:
            return await self.db.transact(work, shop=shop_id)
        except FormExists:  # two tries of the same may have met
            return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeForm:
    db: Database
    ids: Ids

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        form_id: str,
        name: str | None = None,
        fields: tuple[FormField, ...] | None = None,
    ) -> Form:
        """None leaves as it is. Raises FormNotFound or Invalid."""

        def work(tx: Transaction) -> Form:
            require(tx, actor, shop_id, Permission.MANAGE_PRODUCTS)
            form = tx.forms.get(form_id, lock=True)
            named = None if fields is None else with_ids(fields, self.ids.new)
            if form.change(name=name, fields=named):
                tx.forms.save(form)
                tx.record(FormChanged(form_id=form_id))
            return form

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class RemoveForm:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, form_id: str) -> None:
        """Orders that were made with it stay, and keep its name. Raises FormNotFound."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.MANAGE_PRODUCTS)
            tx.forms.delete(tx.forms.get(form_id, lock=True))
            tx.record(FormRemoved(form_id=form_id))

        await self.db.transact(work, shop=shop_id)


def _id(actor: Agent, shop_id: str, own_id: str | None, once: str | None) -> str | None:
    if own_id is not None:
        return checked_id(own_id)
    caller = actor.user_id if isinstance(actor, UserActor) else actor.shop_id
    return named_id("form", shop_id, caller, once) if once else None


def _is_same(known: Form, wanted: Form) -> bool:
    """Whether adding was only repeated. The ids that fields were given here make no difference."""
    if (known.name, len(known.fields)) != (wanted.name, len(wanted.fields)):
        return False
    pairs = zip(known.fields, wanted.fields, strict=True)
    return all(replace(mine, id=mine.id or theirs.id) == theirs for theirs, mine in pairs)
