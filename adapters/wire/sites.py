"""Sites on the platform's wire, for the people of the shop."""

from typing import Annotated

import msgspec

from adapters.wire.base import In, Out, ms
from core.sites.model import Site

Hosts = Annotated[list[str], msgspec.Meta(max_length=100)]


class SiteIn(In):
    name: str
    hosts: Hosts


class SiteChangesIn(In):
    """What is left out stays as it is."""

    name: str | None = None
    hosts: Hosts | None = None


class SiteOut(Out):
    id: str
    name: str
    hosts: list[str]
    created_at: int


class IdentitySecretOut(Out):
    """For the shop's servers alone: whoever has it can be any visitor."""

    secret: str


def site_out(site: Site) -> SiteOut:
    return SiteOut(id=site.id, name=site.name, hosts=list(site.hosts), created_at=ms(site.created_at))
