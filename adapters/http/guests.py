"""Lets visitors in whose browser made the session's id, wherever they come through."""

from dataclasses import dataclass

from adapters.http.errors import AdminKeyHere
from adapters.http.reception import Visit
from adapters.wire.pages import PageIn
from core.application import VisitorUseCases
from core.conversations.errors import SessionNotFound
from core.conversations.signals import SessionMoved
from core.kernel import VisitorActor
from core.visits.use_cases import Entered
from ports.feed import Feed


@dataclass(frozen=True, slots=True)
class Guests:
    visitors: VisitorUseCases
    feed: Feed

    async def enter(self, visit: Visit, session_id: str | None, body: PageIn) -> Entered:
        """A new session when none is named.

        Raises AdminKeyHere, SessionNotFound, IdentityNotProved or Invalid.
        """
        if visit.is_admin:
            raise AdminKeyHere
        if session_id is not None:
            await self._check_token(visit, session_id)
        entered = await self.visitors.enter(
            shop_id=visit.shop.id,
            session_id=session_id,
            site_id=visit.site_id,
            said=body.said,
            proof=body.proof,
        )
        if entered.left is not None:
            self.feed.signal(visit.shop.id, SessionMoved(visitor_id=entered.left))
        return entered

    async def find(self, visit: Visit, session_id: str) -> VisitorActor | None:
        """Whose session it is, if this shop knows it. Raises AdminKeyHere, SessionNotFound or Invalid."""
        if visit.is_admin:
            raise AdminKeyHere
        await self._check_token(visit, session_id)
        return await self.visitors.find_session(shop_id=visit.shop.id, session_id=session_id)

    async def _check_token(self, visit: Visit, session_id: str) -> None:
        """Whoever shows a token can't mean another visitor's session."""
        if visit.token is None or visit.token.session_id == session_id:
            return
        known = await self.visitors.find_session(shop_id=visit.shop.id, session_id=session_id)
        if known is None or known.visitor_id != visit.token.visitor_id:
            raise SessionNotFound
