"""How paths are matched, and what may stand in their places."""

from collections.abc import Callable
from typing import Any

from quart.routing import QuartRule
from werkzeug.routing import BaseConverter


class IdConverter(BaseConverter):
    """Ids in paths. Anything else is not found before a database has to wonder about it."""

    regex = "[A-Za-z0-9._:-]{1,128}"


class NameConverter(BaseConverter):
    """People's names in paths, which may hold slashes and blanks. What is no name the core will not find."""

    regex = ".{1,400}"
    part_isolating = False


class ReferenceConverter(BaseConverter):
    """What people call a thing in paths, such as an order's number, which may begin with any letters."""

    regex = r"[^/\x00-\x1f\x7f]{1,64}"


CONVERTERS: dict[str, type[BaseConverter]] = {
    "id": IdConverter,
    "name": NameConverter,
    "reference": ReferenceConverter,
}


class MatchingRule(QuartRule):
    """Matches, and does nothing else: no address is ever made out of a rule, and to prepare for that takes
    longer than all the rest of putting the application together."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _never_built


def _never_built(*_: Any, **__: Any) -> tuple[str, str]:
    raise RuntimeError("no address is made out of a rule: addresses are written out where they are needed")
