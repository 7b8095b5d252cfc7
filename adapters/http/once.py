"""A POST with an Idempotency-Key has one effect, and its repetition gets the same answer.

This holds for every POST by itself. Endpoints that take `once` do better: they name what they create by the
key, for ever; and those that can't honour it say in their declaration why (docs/decisions/0012).
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from adapters.http.access import Access
from adapters.http.call import Call
from adapters.http.cookies import REFRESH, Cookies
from adapters.http.errors import Header
from adapters.http.reply import Reply, refusal
from core.kernel import DomainError, KeyReused, ShopKeyActor, UserActor, VisitorActor
from core.outages import SecretUnreadable
from ports.answers import CLAIM, AnswerLost, Answers, Claim, Repeated, StillAnswered
from ports.cipher import Cipher

REPLAYED: Header = (b"idempotent-replayed", b"true")
PASSING = frozenset({408, 429, 500, 503})
"""Statuses of refusals that say nothing of the request itself."""

log = structlog.get_logger(__name__)
Run = Callable[[], Awaitable[Reply]]


class Kept(msgspec.Struct):
    """An answer at rest."""

    status: int
    media: str
    headers: list[tuple[str, str]]
    body: str


class Once:
    def __init__(self, answers: Answers, cipher: Cipher, cookies: Cookies) -> None:
        self._answers, self._cipher, self._cookies = answers, cipher, cookies

    async def answer(self, call: Call, key: str, access: Access, body: Any, run: Run) -> Reply:
        """`run`'s answer, or that of the request which this one repeats.

        Raises KeyReused, StillAnswered, AnswerLost, and what `run` raises.
        """
        id = _digest("\0".join((*self._caller(call, access, body), call.path, key)).encode())
        sent = _digest(call.scope["query_string"] + b"\0" + call.raw)
        found = await self._answers.claim(id, self._cipher.encrypt(sent, record=f"{id}:sent"))
        if isinstance(found, Repeated):
            return self._repeated(id, sent, found)
        return await self._first(call, found, run)

    async def _first(self, call: Call, claim: Claim, run: Run) -> Reply:
        try:
            reply = await _under(claim, run)
        except DomainError as error:
            await self._refused(claim, refusal(call, error))
            raise
        except Exception:
            await self._drop(claim)
            raise
        await self._keep(claim, reply)
        return reply

    async def _refused(self, claim: Claim, reply: Reply) -> None:
        """A refusal that changed something stands; any other may turn out otherwise the next time."""
        if claim.has_effect and reply.status not in PASSING:
            await self._keep(claim, reply)
        else:
            await self._drop(claim)

    def _repeated(self, id: str, sent: str, found: Repeated) -> Reply:
        try:
            if self._cipher.decrypt(found.fingerprint, record=f"{id}:sent") != sent:
                raise KeyReused
            if found.answer is not None:
                return _thawed(self._cipher.decrypt(found.answer, record=f"{id}:answer"))
        except SecretUnreadable:
            raise AnswerLost from None
        raise AnswerLost if found.is_lost else StillAnswered

    async def _keep(self, claim: Claim, reply: Reply) -> None:
        """The client gets its answer even if it can't be kept: a repetition is told then that it is lost."""
        try:
            await self._answers.keep(claim, self._cipher.encrypt(_frozen(reply), record=f"{claim.id}:answer"))
        except DomainError as error:
            log.warning("answer_not_kept", reason=error.code)

    async def _drop(self, claim: Claim) -> None:
        try:
            await self._answers.drop(claim)
        except DomainError as error:
            log.warning("claim_not_dropped", reason=error.code)

    def _caller(self, call: Call, access: Access, body: Any) -> tuple[str, ...]:
        """Keys of different callers have nothing to do with each other."""
        match call.actor:
            case UserActor(user_id=user_id):
                return ("user", user_id)
            case ShopKeyActor(shop_id=shop_id):
                return ("shop", shop_id)
            case VisitorActor(shop_id=shop_id, visitor_id=visitor_id):
                return ("visitor", shop_id, visitor_id)
        # Neighbours may share an address: whatever else the endpoint goes by has to be the same as well.
        names = (self._cookies.session, REFRESH) if access.reads_cookies and _is_empty(body) else ()
        return ("address", call.address, call.bearer or "", *(call.cookie(name) or "" for name in names))


async def _under(claim: Claim, run: Run) -> Reply:
    token = CLAIM.set(claim)
    try:
        return await run()
    finally:
        claim.is_open = False
        CLAIM.reset(token)


def _is_empty(body: Any) -> bool:
    return body is None or not any(msgspec.structs.asdict(body).values())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _frozen(reply: Reply) -> str:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers]
    kept = Kept(reply.status, reply.media.decode(), headers, b64encode(reply.body).decode())
    return msgspec.json.encode(kept).decode()


def _thawed(content: str) -> Reply:
    kept = msgspec.json.decode(content, type=Kept)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept.headers]
    return Reply(kept.status, b64decode(kept.body), (*headers, REPLAYED), media=kept.media.encode())
