"""Answers, and the headers that a careful service puts on every one of them."""

from collections.abc import AsyncGenerator

from adapters.http.call import Call
from adapters.http.errors import Header, headers_of, problem_of
from adapters.http.options import HttpOptions
from core.kernel import DomainError, Invalid
from ports.clock import Clock

JSON = b"application/json"
NO_STORE = b"no-store"
NO_PAGE = b"default-src 'none'; frame-ancestors 'none'"

_SECURE: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
REFERRER = b"referrer-policy"
_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (REFERRER, b"no-referrer"),
    (b"vary", b"Origin"),
)


class Reply:
    """What an endpoint answers when a struct does not say it all.

    `policy` makes it a page, with that CSP; `caching` says for how long browsers may keep it.
    """

    __slots__ = ("body", "caching", "headers", "media", "policy", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        headers: tuple[Header, ...] = (),
        *,
        media: bytes = JSON,
        policy: bytes | None = None,
        caching: bytes = NO_STORE,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.media = media
        self.policy = policy
        self.caching = caching

    @property
    def length(self) -> int | None:
        """None while nobody knows."""
        return len(self.body)


class Streamed(Reply):
    """A body that is not held in memory: `content` yields its `length` bytes, or as many as there will be.

    When it breaks off, so does the connection: nobody takes a part for the whole.
    """

    __slots__ = ("_length", "content")

    def __init__(
        self,
        status: int,
        content: AsyncGenerator[bytes, None],
        length: int | None,
        headers: tuple[Header, ...] = (),
        *,
        media: bytes,
        policy: bytes | None = None,
        caching: bytes = NO_STORE,
    ) -> None:
        super().__init__(status, b"", headers, media=media, policy=policy, caching=caching)
        self.content, self._length = content, length

    @property
    def length(self) -> int | None:
        return self._length


def refusal(call: Call, error: DomainError) -> Reply:
    """The error as the caller's dialect tells it."""
    if isinstance(error, Invalid):
        error = call.dialect.spelled(error)
    problem = call.dialect.told(problem_of(error))
    return Reply(problem.status, call.dialect.body(problem, call.id), headers_of(problem))


class Letterhead:
    """Completes the headers of an answer."""

    def __init__(self, options: HttpOptions, clock: Clock) -> None:
        common = (*_ALWAYS, _SECURE) if options.is_secure else _ALWAYS
        never: Header = (b"cache-control", NO_STORE)
        self._json = ((b"content-type", JSON), (b"content-security-policy", NO_PAGE), never, *common)
        self._common = common
        self._clock = clock

    def headers(self, call: Call, reply: Reply) -> list[Header]:
        if reply.media is JSON:
            headers = list(self._json)
        else:
            headers = [(b"content-type", reply.media), (b"cache-control", reply.caching)]
            own_referrer = any(name == REFERRER for name, _ in reply.headers)
            headers.extend(header for header in self._common if not (own_referrer and header[0] == REFERRER))
            headers.append((b"content-security-policy", reply.policy or NO_PAGE))
            if reply.policy is not None:
                # The sign-in pop-ups of the platform's pages lose their opener under plain same-origin.
                headers.append((b"cross-origin-opener-policy", b"same-origin-allow-popups"))
        if reply.status not in {204, 304} and reply.length is not None:  # RFC 9110, 8.6
            headers.append((b"content-length", b"%d" % reply.length))
        headers.append((b"x-request-id", call.id.encode()))
        if call.rate is not None:
            headers.extend(self._rate(call))
        headers.extend(reply.headers)
        return headers

    def _rate(self, call: Call) -> tuple[Header, ...]:
        """Reset is the second, since 1970, by which the caller's whole allowance is there again."""
        if call.rate is None or call.verdict is None:
            return ()
        wait = call.rate.seconds if call.verdict.allowed else call.verdict.retry_after
        reset = int(self._clock.now().timestamp() + wait) + 1
        return (
            (b"x-ratelimit-limit", b"%d" % call.rate.amount),
            (b"x-ratelimit-remaining", b"%d" % call.verdict.remaining),
            (b"x-ratelimit-reset", b"%d" % reset),
        )
