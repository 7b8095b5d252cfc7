"""A shop that has a row in every table that belongs to shops."""

from core.conversations.events import AnswerDue
from core.conversations.visitor import OpenSession
from core.sites.model import Site
from core.visits.model import IdentitySecret
from ports.clock import Clock
from ports.db import Database, Transaction
from ports.memories import Recollection
from tests.builders import Stage, a_form, a_message, a_product, a_shop, an_order, ids
from tests.contract.test_files import a_file, add, attach
from tests.contract.test_webhook_records import a_webhook


async def a_full_shop(db: Database, clock: Clock) -> Stage:
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    await attach(db, await add(db, a_file(stage, message, clock)), message)
    await OpenSession(db, clock, ids)(visitor=stage.visitor)
    product = await a_product(db, clock, stage.shop)
    await an_order(db, clock, stage.shop, product)
    await a_form(db, clock, stage.shop)

    def the_rest(tx: Transaction) -> None:
        tx.sites.add(Site.make(id=ids.new(), name="x", hosts=[f"{stage.shop.id}.example"], now=clock.now()))
        a_webhook(tx, clock.now())
        shown = Recollection(id=ids.new(), client="c", tab=None, digest="d", seen_at=clock.now())
        tx.memories.keep(shown, {"head": b"{}"})
        tx.visitors.know("u", stage.visitor.visitor_id)
        tx.visitors.keep_identity_secret(IdentitySecret(sealed="x", created_at=clock.now()))
        due = AnswerDue(conversation_id="c", message_id="m")
        tx.later(due, due_at=clock.now(), lane="l")

    await db.transact(the_rest, shop=stage.shop.id)
    return stage
