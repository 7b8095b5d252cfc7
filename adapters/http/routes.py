"""Which endpoint a request is for."""

from typing import Any

from quart import Quart
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.routing import MapAdapter, Rule, WebsocketMismatch

from adapters.http.call import Call
from adapters.http.codec import Endpoint, View, endpoint_of
from adapters.http.errors import MethodNotAllowed, RouteNotFound, SocketsOnly
from adapters.http.frontend import ROUTE, Frontend, first_part, is_for_pages, view_of


class Undeclared(Exception):
    """A route without @endpoint: nobody has said who may call it."""


class Routes:
    """Raises Undeclared when a route has come in without saying who may call it."""

    def __init__(self, app: Quart, pages: Frontend | None) -> None:
        self._endpoints = {name: (declared(view), view) for name, view in app.view_functions.items()}
        self._rules: MapAdapter = app.url_map.bind("localhost")
        # Most requests go to an address without parameters, and need not be matched against patterns.
        self._fixed = {
            (method, rule.rule): rule
            for rule in app.url_map.iter_rules()
            if not rule.arguments and not rule.websocket
            for method in rule.methods or ()
        }
        self._first_parts = {first_part(rule.rule) for rule in app.url_map.iter_rules()}
        self._show = None if pages is None else view_of(pages)

    def find(self, call: Call) -> tuple[Endpoint, View, dict[str, Any]]:
        """And notes the route. Raises RouteNotFound, MethodNotAllowed or SocketsOnly."""
        path: dict[str, Any] = {}
        rule = self._fixed.get((call.method, call.path))
        if rule is None:
            try:
                rule, path = self._match(call)
            except RouteNotFound:
                if self._show is None or not is_for_pages(call, self._first_parts):
                    raise
                call.route = ROUTE
                return declared(self._show), self._show, path
        call.route = rule.rule
        return *self._endpoints[rule.endpoint], path

    def _match(self, call: Call) -> tuple[Rule, dict[str, Any]]:
        try:
            rule, path = self._rules.match(call.path, call.method, return_rule=True)
        except WrongMethod as error:
            raise MethodNotAllowed(allow=", ".join(sorted(error.valid_methods or ()))) from None
        except WebsocketMismatch:
            raise SocketsOnly from None
        except HTTPException:
            raise RouteNotFound from None
        return rule, dict(path)


def declared(view: View) -> Endpoint:
    """Raises Undeclared."""
    endpoint = endpoint_of(view)
    if endpoint is None:
        raise Undeclared(f"{view.__module__}.{view.__qualname__} needs @endpoint")
    return endpoint
