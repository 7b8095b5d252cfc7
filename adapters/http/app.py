"""The HTTP side, put together: the routes, and the way of every request through them."""

import asyncio
from collections.abc import Callable, MutableMapping
from contextlib import aclosing
from typing import Any

import structlog
from quart import Blueprint, Quart

from adapters.http import (
    accounts,
    admin,
    analytics,
    conversations,
    documents,
    exports,
    files,
    forms,
    frontend,
    health,
    identity_secret,
    notifications,
    orders,
    presence,
    products,
    push,
    shops,
    sites,
    social,
    storefront,
    team,
    uploads,
    users,
    webchat,
    webhooks,
    widget,
    widget_chat,
)
from adapters.http.call import Call, Gone
from adapters.http.cookies import Cookies
from adapters.http.cors import Cors, ShopOrigins, is_preflight, widget_hosts
from adapters.http.echo import Echo, NoSockets
from adapters.http.errors import AmbiguousLength, Broken
from adapters.http.frontend import Frontend
from adapters.http.gate import Gate
from adapters.http.health import Health
from adapters.http.observer import Observer
from adapters.http.once import Once
from adapters.http.options import HttpOptions
from adapters.http.paths import CONVERTERS, MatchingRule
from adapters.http.reception import Reception
from adapters.http.reply import Letterhead, Reply, Streamed, refusal
from adapters.http.routes import Routes
from adapters.wire.addresses import Addresses
from core.application import Application
from core.kernel import DomainError
from ports.answers import Answers
from ports.cipher import Cipher
from ports.clock import Clock
from ports.feed import Feed
from ports.limits import RateLimiter

Send = Callable[[Any], Any]


class Http(Quart):
    """Quart, but requests go straight from the ASGI scope to their endpoint.

    Quart's own way to a view (two tasks, two contexts, session, signals, a request object) costs more than
    everything that Parley does for a request. Blueprints, the URL map, the test client and the rest of Quart
    stay what they are; `quart.request` does not exist inside an endpoint: it is given its `call` instead.
    """

    url_rule_class = MatchingRule
    way: "Way"

    async def asgi_app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.way.answer(scope, receive, send)
        else:
            await super().asgi_app(scope, receive, send)


class Way:
    """The way of a request: its endpoint is found, the gate lets it in, and one answer goes out."""

    def __init__(
        self, routes: Routes, gate: Gate, addresses: Addresses, letterhead: Letterhead, observer: Observer
    ) -> None:
        self._routes = routes
        self._gate = gate
        self._addresses = addresses
        self._letterhead = letterhead
        self._observer = observer

    async def answer(self, scope: MutableMapping[str, Any], receive: Any, send: Send) -> None:
        call = Call(scope, receive, self._addresses.of(scope))
        structlog.contextvars.bind_contextvars(request_id=call.id)
        try:
            reply = await self._reply(call)
        except Gone:
            self._observer.saw(call, 499)
            return
        headers = self._letterhead.headers(call, reply)
        headers.extend(self._gate.cors.headers(call))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if isinstance(reply, Streamed) and call.method != "HEAD":
            await self._send_pieces(call, reply, send)
        else:
            body = b"" if call.method == "HEAD" else reply.body
            await send({"type": "http.response.body", "body": body, "more_body": False})
        self._observer.saw(call, reply.status)

    async def _send_pieces(self, call: Call, reply: Streamed, send: Send) -> None:
        """Piece by piece, as fast as the client reads. When no last piece comes, the server hangs up."""
        options = self._gate.options
        try:
            async with aclosing(reply.content) as content, asyncio.timeout(options.transfer_timeout):
                async for piece in content:
                    async with asyncio.timeout(options.transfer_idle):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
        except (DomainError, TimeoutError) as error:
            self._observer.broke_off(call, error)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _reply(self, call: Call) -> Reply:
        try:
            if call.is_ambiguous:
                raise AmbiguousLength
            if is_preflight(call):
                return self._gate.cors.preflight(call)
            endpoint, view, path = self._routes.find(call)
            return await self._gate.admit(call, endpoint, view, path)
        except DomainError as error:
            return refusal(call, error)
        except Gone:
            raise
        except Exception:
            self._observer.broke()
            return refusal(call, Broken())


def create_http(
    application: Application,
    *,
    options: HttpOptions,
    limiter: RateLimiter,
    clock: Clock,
    health: Health,
    answers: Answers,
    cipher: Cipher,
    feed: Feed,
    echo: Echo | None = None,
) -> Quart:
    """The ASGI application for everything but sockets."""
    cookies, cors, observer = Cookies(options, clock), Cors(options), Observer()
    hosts = widget_hosts(options)
    origins = ShopOrigins(
        application.sites.pages, clock, widget_hosts=hosts, is_production=options.is_production
    )
    once = Once(answers, cipher, cookies)
    reception = Reception(application.identity, application.shops, application.sites, origins, hosts, clock)
    gate = Gate(application.identity, limiter, options, cookies, cors, origins, once, reception)
    app, echo = _quart(), echo or NoSockets()
    for routes in _blueprints(application, options, clock, health, gate, observer, feed, echo):
        app.register_blueprint(routes)
    app.register_blueprint(widget.blueprint(options))
    app.register_blueprint(
        widget_chat.blueprint(
            application.identity,
            application.visitor,
            feed=feed,
            echo=echo,
            clock=clock,
            base_url=options.base_url,
        )
    )
    pages = Frontend(options.frontend) if options.frontend else None
    app.register_blueprint(frontend.blueprint(pages))
    app.register_blueprint(documents.blueprint(app, options, cookies))
    addresses, letterhead = Addresses(options.trusted_proxies), Letterhead(options, clock)
    app.way = Way(Routes(app, pages), gate, addresses, letterhead, observer)
    return app


def _quart() -> Http:
    app = Http(__name__, static_folder=None)
    app.url_map.converters.update(CONVERTERS)
    # A redirect would be an HTML page, and a POST would lose its body on the way.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    return app


def _blueprints(
    application: Application,
    options: HttpOptions,
    clock: Clock,
    health_of: Health,
    gate: Gate,
    observer: Observer,
    feed: Feed,
    echo: Echo,
) -> list[Blueprint]:
    return [
        health.blueprint(health_of, observer.exposition, options.version),
        files.blueprint(application.files),
        uploads.blueprint(application.files, gate.reception, base_url=options.base_url),
        accounts.blueprint(application.identity, gate.cookies, gate.cors),
        social.blueprint(),
        users.blueprint(application.identity),
        admin.blueprint(application.platform),
        shops.blueprint(application.shops, application.storefront, gate.origins, gate.reception, feed),
        team.blueprint(application.team),
        sites.blueprint(application.sites, gate.origins, gate.reception),
        identity_secret.blueprint(application.sites),
        webhooks.blueprint(application.webhooks),
        conversations.blueprint(application.inbox),
        products.blueprint(application.catalogue),
        forms.blueprint(application.forms),
        storefront.blueprint(application.storefront),
        notifications.blueprint(application.notifications, feed),
        push.blueprint(application.push),
        orders.blueprint(application.orders),
        analytics.blueprint(application.analytics),
        exports.blueprint(application.exports),
        presence.blueprint(application.rooms),
        webchat.blueprint(
            application.identity,
            application.shops,
            application.visitor,
            origins=gate.origins,
            clock=clock,
            feed=feed,
            echo=echo,
            base_url=options.base_url,
        ),
    ]
