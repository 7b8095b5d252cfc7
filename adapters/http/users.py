"""People with an account: those whom one works with, anybody by name, and one's own."""

from quart import Blueprint

from adapters.http.access import PERSON, Access, Who
from adapters.http.codec import endpoint
from adapters.wire.accounts import AccountIn, PeopleQuery, UserOut, person_out, user_out
from adapters.wire.base import Data, DataList, data, data_list
from core.application import IdentityUseCases
from core.identity.errors import NotYourAccount, UsernameTaken, UserNotFound
from core.kernel import Invalid, UserActor

CHANGE = Access(who=Who.PERSON, per_address="login_per_address")
"""Counted with sign-ins: hashing a password is what costs in both."""


def blueprint(identity: IdentityUseCases) -> Blueprint:
    routes = Blueprint("users", __name__, url_prefix="/api/auth/users")

    @routes.get("")
    @endpoint(access=PERSON, query=PeopleQuery, returns=DataList[UserOut])
    async def list_people(actor: UserActor, query: PeopleQuery) -> DataList[UserOut]:
        """List the people with whom the caller shares a shop; for a platform admin, everybody.

        Of others there is no more than id, name and picture. By id; `after` the last one comes the next page.
        """
        people = await identity.people(actor=actor, after=query.after, limit=query.limit)
        return data_list([person_out(person) for person in people])

    @routes.get("/<name:user>")
    @endpoint(access=PERSON, returns=Data[UserOut], raises=(UserNotFound,))
    async def find(actor: UserActor, user: str) -> Data[UserOut]:
        """Find somebody by their whole name, as one does to take them into a team."""
        return data(person_out(await identity.find_person(actor=actor, username=user)))

    @routes.put("/<name:user>")
    @endpoint(access=CHANGE, body=AccountIn, returns=Data[UserOut], raises=(NotYourAccount, UsernameTaken))
    async def change(actor: UserActor, user: str, body: AccountIn) -> Data[UserOut]:
        """Change one's own name, picture or password. A new password ends all other sign-ins.

        `passwordHash` is the new password as it was typed, for that is what the platform's page sends under
        this name. An empty `avatarUrl` removes the picture.
        """
        try:
            changed = await identity.change_account(actor=actor, user_id=user, changes=body.changes())
        except Invalid as error:
            raise body.spelled(error) from None
        return data(user_out(changed))

    return routes
