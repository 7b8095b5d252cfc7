"""The OpenAPI document, from what each route declares. Loaded when somebody asks for it."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from quart import Quart
from quart_schema import APIKeySecurityScheme, HttpSecurityScheme, Info, OpenAPIProvider, QuartSchema, Server
from werkzeug.routing import Rule

from adapters.http.access import Who
from adapters.http.call import UNSAFE
from adapters.http.codec import Endpoint, Incoming, endpoint_of
from adapters.http.cookies import Cookies
from adapters.http.dialects import PLATFORM, WEBCHAT, Dialect, dialect_of
from adapters.http.errors import (
    AdminKeyHere,
    BodyTooLarge,
    BodyTooSlow,
    Broken,
    MalformedJson,
    MissingTenant,
    NoVisitorToken,
    OriginRefused,
    PersonsOnly,
    RateLimited,
    RouteNotFound,
    UnsupportedMedia,
    example_of,
)
from adapters.http.options import HttpOptions
from core.identity.access import PLATFORM_ADMIN
from core.identity.errors import BadToken, NotSignedIn
from core.kernel import ConcurrentUpdate, DomainError, Forbidden, Invalid, KeyReused
from core.outages import DatabaseDown, Overloaded
from core.shops.errors import UnknownShopKey
from ports.answers import AnswerLost, StillAnswered

Json = dict[str, Any]

REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
EXAMPLE_ID = "0198c0de9f3a7c21b5d4e6f8"
DESCRIPTION = "Shops, their people and their customers' conversations."

_WHOLE_NUMBER = {"schema": {"type": "integer"}}
_HEADERS: Json = {
    "Retry-After": _WHOLE_NUMBER | {"description": "Seconds until another try may pass."},
    "X-RateLimit-Limit": _WHOLE_NUMBER,
    "X-RateLimit-Remaining": _WHOLE_NUMBER,
    "X-RateLimit-Reset": _WHOLE_NUMBER | {"description": "A second since 1970."},
}
_SECURITY: dict[Who, list[dict[str, list[str]]]] = {
    Who.ANYONE: [],
    Who.PAGE: [{"shopKey": []}, {}],
    Who.WIDGET: [{"visitorToken": []}, {"shopKey": []}, {}],
    Who.CHAT: [{"shopKey": []}, {"visitorToken": []}],
    Who.VISITOR: [{"visitorToken": []}],
    Who.PERSON: [{"accessToken": []}, {"cookie": []}],
    Who.PLATFORM_ADMIN: [{"accessToken": []}, {"cookie": []}],
    Who.AGENT: [{"accessToken": []}, {"adminKey": []}, {"cookie": []}],
    Who.CUSTOMER: [{"accessToken": []}, {"adminKey": []}, {"cookie": []}, {}],
}


def document(app: Quart, options: HttpOptions, cookies: Cookies) -> bytes:
    """The document as JSON."""
    described = QuartSchema(
        info=Info(title="Parley", version=options.version, description=DESCRIPTION),
        servers=[Server(url=options.base_url)],
        security_schemes={
            "accessToken": HttpSecurityScheme(scheme="bearer", bearer_format="JWT"),
            "adminKey": HttpSecurityScheme(scheme="bearer"),
            "visitorToken": HttpSecurityScheme(scheme="bearer", bearer_format="JWT"),
            "shopKey": HttpSecurityScheme(scheme="bearer"),
            "cookie": APIKeySecurityScheme(name=cookies.session, in_="cookie"),
        },
    )
    return msgspec.json.encode(Provider(app, described).schema())


_BINARY: Json = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_ONCE: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeating the request with the same key has no second effect. Keys don't expire.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}
_ONCE_A_DAY: Json = _ONCE | {
    "description": "Repeating the request with the same key within 24 hours has no second effect, and gets"
    " the first answer again, with the header Idempotent-Replayed."
}


class Provider(OpenAPIProvider):
    """quart-schema's document with msgspec's schemas in it, all named at once so that no two names meet."""

    def schema(self) -> Json:
        declared = [self._endpoint(rule) for rule in self.generate_rules()]
        kinds = [
            kind for endpoint in declared for kind in (endpoint.body, endpoint.returns) if _is_shown(kind)
        ]
        kinds += [PLATFORM.shape, WEBCHAT.shape]
        schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
        self._schemas = dict(zip(map(repr, kinds), schemas, strict=True))
        document: Json = super().schema()
        document["components"]["schemas"] = components
        return document

    def build_paths(self, rule: Rule) -> tuple[Json, Json]:
        endpoint, view = self._endpoint(rule), self._app.view_functions[rule.endpoint]
        summary, _, description = (inspect.getdoc(view) or "").partition("\n")
        path = _PARAMETER.sub(r"{\2}", rule.rule)
        operation: Json = {
            "operationId": rule.endpoint.replace(".", "_"),
            "tags": [rule.endpoint.partition(".")[0]],
            "summary": summary,
            "description": description.strip(),
            "parameters": [
                *self._path_parameters(rule.rule),
                *_query_parameters(endpoint),
                *_once(rule, endpoint),
            ],
            "responses": self._responses(rule, endpoint),
            "security": _SECURITY[endpoint.access.who],
        }
        if endpoint.access.permission is not None:
            operation["x-permission"] = endpoint.access.permission.value
        if endpoint.access.who is Who.PLATFORM_ADMIN:
            operation["x-permission"] = PLATFORM_ADMIN
        if endpoint.body is Incoming:
            operation["requestBody"] = {"content": _BINARY, "required": True}
        elif _is_shown(endpoint.body):
            operation["requestBody"] = {
                "content": self._json(endpoint.body),
                "required": _is_needed(endpoint.body),
            }
        return {path: {method.lower(): operation for method in self.generate_methods(rule)}}, {}

    def _path_parameters(self, path: str) -> list[Json]:
        parameters = []
        for converter, name in _PARAMETER.findall(path):
            pattern = self._app.url_map.converters[converter or "default"].regex
            schema = {"type": "string", "pattern": f"^{pattern}$"}
            parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
        return parameters

    def _responses(self, rule: Rule, endpoint: Endpoint) -> Json:
        responses: Json = {}
        for status in (endpoint.status, *endpoint.also):
            if status >= 400 and not _is_shown(endpoint.returns):
                continue  # it only ever refuses, and what is told below is all there is
            responses[str(status)] = {"description": "Done" if status < 400 else "Not now"}
            if _is_shown(endpoint.returns):
                responses[str(status)]["content"] = self._json(endpoint.returns)
        dialect = dialect_of(rule.rule)
        for status, errors in sorted(_by_status(rule, endpoint, dialect).items()):
            responses.setdefault(str(status), self._refusal(dialect, errors))
        return responses

    def _refusal(self, dialect: Dialect, errors: list[type[DomainError]]) -> Json:
        content = self._json(dialect.shape)
        problems = [dialect.told(example_of(error)) for error in errors]
        content["application/json"]["examples"] = {
            problem.code: {"value": msgspec.to_builtins(dialect.error(problem, EXAMPLE_ID))}
            for problem in problems
        }
        told = {"description": "; ".join(problem.detail for problem in problems), "content": content}
        return told | ({"headers": _HEADERS} if problems[0].status == 429 else {})

    def _json(self, kind: Any) -> Json:
        return {"application/json": {"schema": self._schemas[repr(kind)]}}

    def _endpoint(self, rule: Rule) -> Endpoint:
        endpoint = endpoint_of(self._app.view_functions[rule.endpoint])
        assert endpoint is not None  # noqa: S101 - create_http has seen to it
        return endpoint


def refusals(rule: Rule, endpoint: Endpoint) -> Iterator[type[DomainError]]:
    """Everything that a route may answer instead of what it is for."""
    access, unsafe = endpoint.access, bool(UNSAFE & set(rule.methods or ()))
    yield from endpoint.raises
    yield from _of_access(access.who, unsafe)
    if access.permission is not None:
        yield Forbidden
    if access.is_limited:
        yield RateLimited
    if endpoint.body is not None:
        yield from (Invalid, BodyTooSlow, BodyTooLarge, UnsupportedMedia)
    if _is_shown(endpoint.body):
        yield MalformedJson
    if endpoint.query is not None or "POST" in (rule.methods or ()):
        yield Invalid
    if _is_kept(rule, endpoint):
        yield from (KeyReused, StillAnswered, AnswerLost)
    if rule.arguments:
        yield RouteNotFound
    if unsafe:
        yield ConcurrentUpdate
    if not access.is_unlimited:
        yield from (DatabaseDown, Overloaded)
    yield Broken


def _is_kept(rule: Rule, endpoint: Endpoint) -> bool:
    return "POST" in (rule.methods or ()) and endpoint.is_kept


def _once(rule: Rule, endpoint: Endpoint) -> list[Json]:
    if "once" in endpoint.takes:
        return [_ONCE]
    return [_ONCE_A_DAY] if _is_kept(rule, endpoint) else []


def _of_access(who: Who, unsafe: bool) -> Iterable[type[DomainError]]:
    match who:
        case Who.ANYONE:
            return ()
        case Who.PAGE:
            return (OriginRefused,)
        case Who.CUSTOMER:
            return (BadToken,)
        case Who.WIDGET:
            return (MissingTenant, BadToken, OriginRefused)
        case Who.CHAT:
            return (NoVisitorToken, BadToken, UnknownShopKey, AdminKeyHere, OriginRefused)
        case Who.VISITOR:
            return (NoVisitorToken, BadToken, OriginRefused)
        case Who.PERSON:
            return (NotSignedIn, BadToken, PersonsOnly, *((OriginRefused,) if unsafe else ()))
        case Who.PLATFORM_ADMIN:
            return (NotSignedIn, BadToken, PersonsOnly, Forbidden, *((OriginRefused,) if unsafe else ()))
        case Who.AGENT:
            return (NotSignedIn, BadToken, *((OriginRefused,) if unsafe else ()))


def _by_status(rule: Rule, endpoint: Endpoint, dialect: Dialect) -> dict[int, list[type[DomainError]]]:
    result: defaultdict[int, list[type[DomainError]]] = defaultdict(list)
    for error in dict.fromkeys(refusals(rule, endpoint)):
        result[dialect.told(example_of(error)).status].append(error)
    return result


def _query_parameters(endpoint: Endpoint) -> list[Json]:
    if endpoint.query is None:
        return []
    (_,), components = msgspec.json.schema_components([endpoint.query], ref_template=REF)
    properties = components[endpoint.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]


def _is_shown(kind: Any) -> bool:
    return kind not in {None, bytes, Incoming}


def _is_needed(kind: Any) -> bool:
    """Whether there is anything that has to be sent."""
    if not isinstance(kind, type):
        return False
    return any(field.required for field in msgspec.structs.fields(kind))
