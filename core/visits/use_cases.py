"""Sessions of visitors whose browser made the session's id, which is all that they have to show."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.conversations.errors import SessionNotFound
from core.conversations.model import Conversation, VisitorSession
from core.kernel import DoneBefore, VisitorActor
from core.visits.errors import SessionTaken
from core.visits.identity import Vouching
from core.visits.model import checked_labels, checked_session_id
from ports.clock import Clock, Ids
from ports.db import Database, Transaction
from ports.proofs import Proof

OWN_SESSION = "session-"
"""How ids of sessions begin that no browser made."""


@dataclass(frozen=True, slots=True)
class Entered:
    visitor: VisitorActor
    session: VisitorSession
    conversation: Conversation | None
    left: str | None = None
    """The visitor whose session, or whose sessions, have become another's just now."""


@dataclass(frozen=True, slots=True)
class EnterSession:
    """A visitor comes, or comes back. The first shop that sees a session's id is the only one to know it."""

    db: Database
    clock: Clock
    ids: Ids
    vouching: Vouching

    async def __call__(
        self,
        *,
        shop_id: str,
        session_id: str | None,
        site_id: str | None = None,
        said: Mapping[str, Any] | None = None,
        proof: Proof | None = None,
    ) -> Entered:
        """The session and its visitor, made now if there is none, and the conversation if there is one.
        Without an id the session is a new one.

        `said` is what the page says of itself and of the person, kept as labels. Only a `proof` makes the
        visitor somebody: then the sessions of that person have one visitor.
        Raises Invalid, SessionNotFound for another shop's session, or IdentityNotProved.
        """
        if session_id is None:
            session_id = OWN_SESSION + self.ids.secret()
        checked_session_id(session_id)
        labels = checked_labels(said or {})
        user_id = None if proof is None else await self.vouching.proved(shop_id, proof)
        entering = _Entering(session_id, site_id, labels, user_id)
        known = await self.db.read(entering.look, shop=shop_id)
        if known is None or entering.changes(known.session) or user_id is not None:
            known = await self._change(shop_id, entering)
        visitor = VisitorActor(shop_id, known.session.visitor_id, session_id)
        return Entered(visitor, known.session, known.conversation, known.left)

    async def _change(self, shop_id: str, entering: "_Entering") -> "_Known":
        def work(tx: Transaction) -> _Known:
            return entering.enter(tx, self.clock, self.ids)

        try:
            return await self.db.transact(work, shop=shop_id)
        except (SessionTaken, DoneBefore):
            # Another request of the same page was quicker; else it is another shop's session.
            try:
                return await self.db.transact(work, shop=shop_id)
            except SessionTaken:
                raise SessionNotFound from None


@dataclass(frozen=True, slots=True)
class FindSession:
    db: Database

    async def __call__(self, *, shop_id: str, session_id: str) -> VisitorActor | None:
        """Whose session it is; None for one that this shop has not seen. Raises Invalid."""
        checked_session_id(session_id)
        session = await self.db.read(lambda tx: tx.visitors.find_session(session_id), shop=shop_id)
        return None if session is None else VisitorActor(shop_id, session.visitor_id, session_id)


@dataclass(frozen=True, slots=True)
class _Known:
    session: VisitorSession
    conversation: Conversation | None
    left: str | None = None


@dataclass(frozen=True, slots=True)
class _Entering:
    session_id: str
    site_id: str | None
    labels: Mapping[str, Any]
    user_id: str | None

    def look(self, tx: Transaction) -> _Known | None:
        session = tx.visitors.find_session(self.session_id)
        return None if session is None else self._known(tx, session)

    def changes(self, session: VisitorSession) -> bool:
        return self._updated(session) != session

    def enter(self, tx: Transaction, clock: Clock, ids: Ids) -> _Known:
        session = tx.visitors.find_session(self.session_id)
        if session is None:
            new = VisitorSession(id=self.session_id, visitor_id=ids.new(), created_at=clock.now())
            session = self._updated(new)
            tx.visitors.add_session(session)
        elif self.changes(session):
            session = self._updated(session)
            tx.visitors.save_session(session)
        if self.user_id is None:
            return self._known(tx, session)
        session, left = _join(tx, session, self.user_id, ids)
        return replace(self._known(tx, session), left=left)

    def _updated(self, session: VisitorSession) -> VisitorSession:
        return replace(
            session,
            site_id=self.site_id or session.site_id,
            labels={**session.labels, **self.labels},
        )

    @staticmethod
    def _known(tx: Transaction, session: VisitorSession) -> _Known:
        return _Known(session, tx.conversations.of_visitor(session.visitor_id))


def _join(
    tx: Transaction, session: VisitorSession, user_id: str, ids: Ids
) -> tuple[VisitorSession, str | None]:
    """Make the session one of this person's. Also returns the visitor who has lost sessions by it.

    An anonymous conversation goes on as the person's, who has none yet. When both have one they stay apart:
    nobody's words are ever mixed into a thread after the fact.
    """
    theirs, before = tx.visitors.of_person(user_id), session.visitor_id
    if theirs == before:
        return session, None
    left: str | None = before
    is_free = tx.visitors.person(before) is None
    if theirs is None:
        theirs = before if is_free else ids.new()
        tx.visitors.know(user_id, theirs)
        left = None if is_free else before
    elif is_free and tx.conversations.of_visitor(before) and not tx.conversations.of_visitor(theirs):
        tx.visitors.move_sessions(theirs, to=before)
        tx.visitors.know(user_id, before)
        left, theirs = theirs, before
    session = replace(session, visitor_id=theirs)
    tx.visitors.save_session(session)
    return session, left
