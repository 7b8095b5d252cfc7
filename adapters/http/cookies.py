"""The two cookies of a signed-in browser. Scripts see neither."""

from adapters.http.errors import Header
from adapters.http.options import HttpOptions
from core.identity.use_cases import Credentials
from ports.clock import Clock

REFRESH = "parley_refresh"
REFRESH_PATH = "/api/auth"


class Cookies:
    def __init__(self, options: HttpOptions, clock: Clock) -> None:
        # The __Host- prefix keeps neighbours on the domain from planting one; browsers want https for it.
        self.session = "__Host-parley_session" if options.is_secure else "parley_session"
        self._attributes = "; HttpOnly; SameSite=Lax" + ("; Secure" if options.is_secure else "")
        self._clock = clock

    def issue(self, credentials: Credentials) -> tuple[Header, ...]:
        seconds = max(0, int((credentials.expires_at - self._clock.now()).total_seconds()))
        return (
            self._set(self.session, credentials.cookie, "/", seconds),
            self._set(REFRESH, credentials.refresh_token, REFRESH_PATH, seconds),
        )

    def clear(self) -> tuple[Header, ...]:
        return (self._set(self.session, "", "/", 0), self._set(REFRESH, "", REFRESH_PATH, 0))

    def _set(self, name: str, value: str, path: str, seconds: int) -> Header:
        text = f"{name}={value}; Path={path}; Max-Age={seconds}{self._attributes}"
        return (b"set-cookie", text.encode())
