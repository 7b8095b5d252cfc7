"""Kept answers, and the transactions that are made under a claim. They belong to no shop."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import Id, UtcDateTime, metadata
from adapters.db.transaction import SqlTransaction
from core.kernel import DoneBefore
from ports.answers import CLAIM, KEPT, LEASE, Claim, Repeated, StillAnswered
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Database, Scope, Transaction

T = TypeVar("T")

stored_answers = sa.Table(
    "stored_answers",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("holder", Id, nullable=False),
    sa.Column("claimed_until", UtcDateTime, nullable=False),
    sa.Column("has_effect", sa.Boolean, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
)

_held = sa.and_(stored_answers.c.id == p("b_id"), stored_answers.c.holder == p("b_holder"))
_FIND = Statement(sa.select(stored_answers).where(stored_answers.c.id == p("b_id")).with_for_update())
_ADD = Statement(stored_answers.insert())
_FORGET = Statement(stored_answers.delete().where(stored_answers.c.id == p("b_id")))
_MARK = Statement(stored_answers.update().where(_held).values(has_effect=sa.true()))
_KEEP = Statement(stored_answers.update().where(_held).values(answer=p("answer")))
_DROP = Statement(stored_answers.delete().where(_held, stored_answers.c.has_effect.is_(False)))
_PRUNE = Statement(stored_answers.delete().where(stored_answers.c.expires_at < p("before")))


@dataclass(frozen=True, slots=True)
class SqlAnswers:
    """Satisfies ports.answers.Answers."""

    db: Database
    clock: Clock
    ids: Ids

    async def claim(self, id: str, fingerprint: str) -> Claim | Repeated:
        claim, now = Claim(id, self.ids.new()), self.clock.now()

        def work(tx: Transaction) -> Claim | Repeated:
            session = _session(tx)
            row = _FIND.one(session, {"b_id": id})
            if row is not None and not _is_over(row, now):
                is_lost = row["answer"] is None and row["claimed_until"] <= now
                return Repeated(row["fingerprint"], row["answer"], is_lost)
            if row is not None:
                _FORGET.run(session, {"b_id": id})
            _ADD.run(session, _row(claim, fingerprint, now))
            return claim

        for _ in range(2):
            with suppress(DoneBefore):  # a twin was faster
                return await self.db.transact(work, shop=SYSTEM)
        raise StillAnswered

    async def keep(self, claim: Claim, answer: str) -> None:
        held = {"b_id": claim.id, "b_holder": claim.holder, "answer": answer}
        await self.db.transact(lambda tx: _KEEP.run(_session(tx), held), shop=SYSTEM)

    async def drop(self, claim: Claim) -> None:
        held = {"b_id": claim.id, "b_holder": claim.holder}
        await self.db.transact(lambda tx: _DROP.run(_session(tx), held), shop=SYSTEM)

    async def prune(self) -> int:
        before = {"before": self.clock.now()}
        return await self.db.transact(lambda tx: _PRUNE.run(_session(tx), before), shop=SYSTEM)


class ClaimingDatabase:
    """A database for use cases: what they change while a request's claim is held is committed under it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.read, self.on_commit, self.check, self.close = db.read, db.on_commit, db.check, db.close

    def transact(self, work: Callable[[Transaction], T], *, shop: Scope) -> Coroutine[Any, Any, T]:
        claim = CLAIM.get()
        if claim is None or not claim.is_open:
            return self._db.transact(work, shop=shop)
        return self._under(claim, work, shop)

    async def _under(self, claim: Claim, work: Callable[[Transaction], T], shop: Scope) -> T:
        def claimed(tx: Transaction) -> T:
            """Marks first: whoever has lost the claim to another one waits for it, and changes nothing."""
            if not _MARK.run(_session(tx), {"b_id": claim.id, "b_holder": claim.holder}):
                raise StillAnswered
            return work(tx)

        value = await self._db.transact(claimed, shop=shop)
        claim.has_effect = True
        return value


def _is_over(row: Row, now: datetime) -> bool:
    """Whether the request counts as never made: too long ago, or given up before anything came of it."""
    is_given_up = not row["has_effect"] and row["answer"] is None and row["claimed_until"] <= now
    return bool(is_given_up or row["expires_at"] <= now)


def _row(claim: Claim, fingerprint: str, now: datetime) -> Row:
    return {
        "id": claim.id,
        "fingerprint": fingerprint,
        "holder": claim.holder,
        "claimed_until": now + LEASE,
        "has_effect": False,
        "answer": None,
        "expires_at": now + KEPT,
    }


def _session(tx: Transaction) -> Session:
    """No repository of the transaction's: only this module has to do with kept answers."""
    return cast(SqlTransaction, tx).session
