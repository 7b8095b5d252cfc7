"""What every request passes before its endpoint runs, in this order:

address limit, authentication, the page's origin, the caller's limit, the body, the account's limit, and
whether the same was asked before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from adapters.http.access import Access, Who
from adapters.http.call import UNSAFE, Call
from adapters.http.codec import (
    Endpoint,
    Incoming,
    View,
    check_encoding,
    check_media,
    decode_body,
    decode_query,
    encode,
)
from adapters.http.cookies import Cookies
from adapters.http.cors import Cors, ShopOrigins
from adapters.http.errors import (
    BodyTooLarge,
    BodyTooSlow,
    MissingTenant,
    NoVisitorToken,
    PersonsOnly,
    RateLimited,
)
from adapters.http.once import Once, Run
from adapters.http.options import HttpOptions
from adapters.http.reception import Reception, Visit, shows_token
from adapters.http.reply import Reply
from core.application import IdentityUseCases
from core.identity.errors import BadToken, NotSignedIn
from core.identity.model import digest
from core.kernel import Agent, DomainError, ShopKeyActor, UserActor
from ports.limits import Rate, RateLimiter


@dataclass(frozen=True, slots=True)
class Gate:
    identity: IdentityUseCases
    limiter: RateLimiter
    options: HttpOptions
    cookies: Cookies
    cors: Cors
    origins: ShopOrigins
    once: Once
    reception: Reception

    async def admit(self, call: Call, endpoint: Endpoint, view: View, path: Mapping[str, str]) -> Reply:
        """Run the endpoint if nothing speaks against it. Raises DomainError."""
        access = endpoint.access
        if access.per_address is not None:
            await self._count(call, access.per_address, call.address)
        if access.per_conversation is not None:
            await self._count(call, access.per_conversation, path["conversation_id"])
        if access.who is Who.VISITOR or (access.who is Who.CHAT and shows_token(call)):
            await self._admit_visitor(call, access)
        elif access.who is Who.CHAT:
            await self._count(call, "widget_per_address", call.address)
        elif access.who in {Who.AGENT, Who.PERSON, Who.PLATFORM_ADMIN}:
            await self._admit_agent(call, access)
        elif access.who is Who.CUSTOMER:
            await self._recognise(call, access)
        given = await self._given(call, endpoint)
        if access.who in {Who.WIDGET, Who.CHAT}:
            given["visit"] = await self._visit(call, access, given.get("body") or given.get("query"))

        async def run() -> Reply:
            result = await view(**given, **path)
            return result if isinstance(result, Reply) else Reply(endpoint.status, encode(result))

        if call.method == "POST" and endpoint.is_kept and (key := call.once) is not None:
            return await self.once.answer(call, key, access, given.get("body"), run)
        return await (self._taking_in(call, run) if endpoint.body is Incoming else run())

    async def _visit(self, call: Call, access: Access, told: Any) -> Visit | None:
        """None for a caller whose token says it all."""
        if call.actor is not None:
            return None
        try:
            return await self.reception.receive(call, told)
        except MissingTenant as error:
            raise NoVisitorToken if access.who is Who.CHAT else error from None

    async def _taking_in(self, call: Call, run: Run) -> Reply:
        """A refused uploader reads the answer when everything is sent: cut off before, it would see none."""
        try:
            return await run()
        except BodyTooSlow:
            raise
        except DomainError:
            await call.discard(limit=self.options.upload_limit, within=self.options.transfer_idle)
            raise

    async def _admit_visitor(self, call: Call, access: Access) -> None:
        try:
            if (bearer := call.bearer) is None:
                raise NoVisitorToken
            visitor = self.identity.authenticate_visitor(bearer)
        except (BadToken, NoVisitorToken):
            await self._count(call, "address", call.address)
            raise
        call.actor = visitor
        await self.origins.check(call, visitor.shop_id)
        await self._count(call, "visitor", f"{access.bucket}{visitor.shop_id}:{visitor.visitor_id}")

    async def _admit_agent(self, call: Call, access: Access) -> None:
        try:
            caller = await self.identity.authenticate(
                bearer=call.bearer, cookie=call.cookie(self.cookies.session)
            )
            if caller is None:
                raise NotSignedIn
        except (BadToken, NotSignedIn):
            await self._count(call, "address", call.address)
            raise
        if caller.by_cookie and call.method in UNSAFE:
            self.cors.check_cookie_use(call)
        if access.who is not Who.AGENT and not isinstance(caller.actor, UserActor):
            raise PersonsOnly
        call.actor = caller.actor
        await self._count_agent(call, caller.actor, access)

    async def _recognise(self, call: Call, access: Access) -> None:
        """Raises BadToken: who shows a token must not take what everybody sees for all that there is.

        An old cookie is no cookie, though: nobody chooses to send it.
        """
        caller = await self.identity.authenticate(
            bearer=call.bearer, cookie=call.cookie(self.cookies.session)
        )
        if caller is not None:
            call.actor = caller.actor
            await self._count_agent(call, caller.actor, access)

    async def _count_agent(self, call: Call, actor: Agent, access: Access) -> None:
        match actor:
            case UserActor(user_id=user_id):
                await self._count(call, "user", f"{access.bucket}{user_id}")
            case ShopKeyActor(shop_id=shop_id):
                await self._count(call, "shop_key", f"{access.bucket}{shop_id}")

    async def _given(self, call: Call, endpoint: Endpoint) -> dict[str, Any]:
        """What the view is called with."""
        given: dict[str, Any] = {}
        if endpoint.body is not None:
            given["body"] = await self._body(call, endpoint)
        if endpoint.query is not None:
            given["query"] = decode_query(call.scope["query_string"], endpoint.query)
        if "call" in endpoint.takes:
            given["call"] = call
        if "actor" in endpoint.takes:
            given["actor"] = call.actor
        if "once" in endpoint.takes:
            given["once"] = call.once
        return given

    async def _body(self, call: Call, endpoint: Endpoint) -> Any:
        if endpoint.body is Incoming:
            check_encoding(call)
            return call.incoming(
                limit=self.options.upload_limit,
                within=self.options.transfer_timeout,
                idle=self.options.transfer_idle,
            )
        try:
            raw = await call.body(limit=self.options.body_limit, within=self.options.body_timeout)
        except BodyTooLarge:
            await self._hear_out(call)
            raise
        if endpoint.body is bytes:
            return raw
        if raw:
            check_media(call)
        body = decode_body(raw, endpoint.body, keeps_nul=endpoint.keeps_nul)
        if endpoint.access.per_account is not None:
            # Digested: what people type into an email field does not belong into the limiter's store.
            await self._count(call, endpoint.access.per_account, digest(body.email.strip().casefold()))
        return body

    async def _hear_out(self, call: Call) -> None:
        """Of what is not far too large the rest is read, as of uploads: who is still sending when the
        connection ends may see no answer. Who asks before sending, or announces much more, need not send."""
        limit = self.options.body_limit
        if b"expect" not in call.headers and (call.declared_length or 0) <= 2 * limit:
            await call.discard(limit=limit, within=self.options.body_timeout)

    async def _count(self, call: Call, name: str, who: str) -> None:
        """Raises RateLimited."""
        rate: Rate = getattr(self.options.limits, name)
        verdict = await self.limiter.hit(f"{name}:{who}", rate)
        call.rate, call.verdict = rate, verdict
        if not verdict.allowed:
            raise RateLimited(seconds=max(1, ceil(verdict.retry_after)))
