"""Shops that are read and sent back as whole documents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.catalogue.model import Product
from core.conversations.model import Conversation
from core.forms.model import Form
from core.kernel import Agent, ShopKeyActor
from core.orders.model import Order
from core.shops.access import standing_in_shop
from core.shops.editing import Editor, check_may_edit
from core.shops.edits import Distance, Memory, ShopDocument
from core.shops.model import Member, Shop
from ports.clock import Clock, Ids
from ports.db import Database, Transaction
from ports.memories import Recollection

VIEWS_KEPT = 8
"""Of one client that has not said which of its tabs they are for."""


@dataclass(frozen=True, slots=True)
class EditShop:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self, *, actor: Agent, shop_id: str, document: ShopDocument, tab: str | None = None
    ) -> None:
        """Make the shop what the document says, as far as its client has changed it and may.

        `tab`: which of the client's views of the shop it comes from, if the client says so. Documents of one
        shop take effect one after the other. Raises ShopNotFound, Invalid, or Forbidden for a part of which
        the caller may change nothing.
        """
        client = _client_of(actor)
        if await self._is_repeat(actor, shop_id, document, client, tab):
            return

        def work(tx: Transaction) -> None:
            standing = standing_in_shop(tx, actor, shop_id)
            shop = tx.shops.get(lock=True)
            check_may_edit(document, standing)
            recollection, memory = _recall(tx, client, tab, document)
            edits = document.edits(memory, StoredShop(tx, shop))
            Editor(tx, shop, actor, standing, self.db, self.clock, self.ids).apply(edits)
            if recollection is not None or document.is_whole:
                self._keep(tx, recollection, memory, document, client, tab)

        await self.db.transact(work, shop=shop_id)

    async def _is_repeat(
        self, actor: Agent, shop_id: str, document: ShopDocument, client: str, tab: str | None
    ) -> bool:
        """Whether this tab has sent the very same before: then there is nothing to do, and nobody to lock."""
        if tab is None or not document.is_whole:
            return False

        def work(tx: Transaction) -> bool:
            standing_in_shop(tx, actor, shop_id)
            known = tx.memories.of_tab(client, tab)
            return known is not None and known.digest == document.digest

        return await self.db.read(work, shop=shop_id)

    def _keep(
        self,
        tx: Transaction,
        known: Recollection | None,
        memory: Memory,
        document: ShopDocument,
        client: str,
        tab: str | None,
    ) -> None:
        now, parts = self.clock.now(), document.remembered(memory)
        own = tx.memories.of_tab(client, tab) if tab is not None else None
        view = own or Recollection(id=self.ids.new(), client=client, tab=tab, digest="", seen_at=now)
        is_its_own = known is not None and known.id == view.id
        kept = parts if is_its_own else {**memory, **parts}
        tx.memories.keep(replace(view, digest=document.digest, seen_at=now), kept)
        if own is None:
            _forget_old(tx, client)


@dataclass(frozen=True, slots=True)
class RememberShop:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(self, *, actor: Agent, shop_id: str, memory: Memory, digest: str) -> None:
        """Keep what the caller is about to be shown. `digest`: of all of it."""
        client = _client_of(actor)

        def work(tx: Transaction) -> None:
            if tx.shops.find() is None:
                return
            views = tx.memories.of_client(client)
            known = next((view for view in views if view.tab is None and view.digest == digest), None)
            now = self.clock.now()
            if known is not None:
                tx.memories.keep(replace(known, seen_at=now), {})
                return
            view = Recollection(id=self.ids.new(), client=client, tab=None, digest=digest, seen_at=now)
            tx.memories.keep(view, memory)
            _forget_old(tx, client)

        await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class StoredShop:
    """Satisfies core.shops.edits.Stored."""

    tx: Transaction
    shop: Shop

    def team(self) -> list[Member]:
        return self.tx.members.all()

    def products(self, ids: Sequence[str]) -> dict[str, Product]:
        return self.tx.products.by_ids(ids)

    def forms(self, ids: Sequence[str]) -> dict[str, Form]:
        return self.tx.forms.by_ids(ids)

    def orders(self, ids: Sequence[str]) -> dict[str, Order]:
        return self.tx.orders.by_ids(ids)

    def conversations(self, ids: Sequence[str]) -> dict[str, Conversation]:
        return self.tx.conversations.by_ids(ids)

    def known_messages(self, conversation_id: str, ids: Sequence[str]) -> set[str]:
        return self.tx.messages.known(conversation_id, ids)


def _recall(
    tx: Transaction, client: str, tab: str | None, document: ShopDocument
) -> tuple[Recollection | None, Memory]:
    """The view that the document was made from: the one that it differs least from.

    A tab goes on from its own last document, unless it has loaded anew since. Pages don't say who they are
    when they load, and call themselves something else after a while. A part from a client without tabs is
    about what it saw last.
    """
    views = tx.memories.of_client(client)
    own = next((view for view in views if tab is not None and view.tab == tab), None)
    if own is not None:
        views = [own, *(view for view in views if view.tab is None and view.seen_at > own.seen_at)]
    elif tab is None and not document.is_whole:
        views = [view for view in views if view.tab is None][:1] or views
    known = [(view, tx.memories.parts(view.id)) for view in views]
    if len(known) < 2:
        return known[0] if known else (None, {})

    def nearness(entry: tuple[Recollection, Memory]) -> tuple[bool, Distance, bool, bool]:
        """A part that only repeats an older view is about a newer one. Of those that are as near: its own,
        then one that no other tab has made its own, then the newest."""
        view, memory = entry
        distance = document.distance(memory)
        is_outdated = not document.is_whole and distance.changes == 0 and view is not newest
        return is_outdated, distance, view is not own, view.tab is not None

    newest = max(views, key=lambda view: view.seen_at)
    return min(known, key=nearness)


def _forget_old(tx: Transaction, client: str) -> None:
    views = [view for view in tx.memories.of_client(client) if view.tab is None]
    for view in views[VIEWS_KEPT:]:
        tx.memories.forget(view.id)


def _client_of(actor: Agent) -> str:
    return "shop key" if isinstance(actor, ShopKeyActor) else actor.login_id
