"""Names of time zones, as the IANA database has them."""

from functools import cache
from zoneinfo import available_timezones

from core.kernel import Invalid


def checked_zone(name: str) -> str:
    """Raises Invalid."""
    if name not in _names():
        raise Invalid(field="timezone", rule="must be the name of a time zone, such as Europe/Vienna")
    return name


@cache
def _names() -> frozenset[str]:
    """Read once, when somebody first names one. `localtime` is another one on each machine."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}
