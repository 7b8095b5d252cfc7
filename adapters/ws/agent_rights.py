"""Whether an agent who connected a while ago would still be let in."""

from dataclasses import dataclass

from core.application import IdentityUseCases
from core.identity.errors import BadToken
from core.kernel import Agent, UserActor


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an agent connected with, to be looked at again while the connection lasts."""

    bearer: str | None
    cookie: str | None


async def is_still_signed_in(identity: IdentityUseCases, agent: Agent, by: Credentials) -> bool:
    """Pages keep a socket for longer than an access token lives: what counts is the sign-in behind it."""
    if by.cookie is None and isinstance(agent, UserActor):
        return await identity.check_login(agent)
    try:
        caller = await identity.authenticate(bearer=by.bearer, cookie=by.cookie)
    except BadToken:
        return False
    return caller is not None and is_same(caller.actor, agent)


def user_id(agent: Agent) -> str | None:
    return agent.user_id if isinstance(agent, UserActor) else None


def is_same(one: Agent, other: Agent) -> bool:
    """The same person, if in another sign-in, or the same shop's key."""
    if isinstance(one, UserActor) and isinstance(other, UserActor):
        return one.user_id == other.user_id
    return one == other
