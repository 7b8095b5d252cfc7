"""A team out of a document: as far as the one who sends it may."""

from datetime import timedelta

import pytest

from core.conversations.inbox import ChangeConversation
from core.kernel import Invalid
from core.shops.access import standing_in_shop
from core.shops.events import MemberChanged, MemberJoined, MemberLeft
from core.shops.policy import Role
from core.shops.team import TEAM_LIMIT, apply_team
from tests.builders import a_member, a_message, a_shop, a_user
from tests.http.conftest import make_platform_admin


@pytest.fixture
def database_url():
    return "memory://"


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
async def people(db, clock, stage):
    """The owner, one of each other role, and somebody outside."""
    people = {role: await a_member(db, clock, stage.shop, role) for role in Role if role is not Role.OWNER}
    return people | {Role.OWNER: stage.owner, None: await a_user(db, clock, "outside")}


@pytest.fixture
def apply(db, clock, stage):
    async def apply(actor, wanted):
        def work(tx):
            tx.shops.get(lock=True)
            standing = standing_in_shop(tx, actor, stage.shop.id)
            return apply_team(tx, standing, wanted, now=clock.now())

        before = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)
        changed = await db.transact(work, shop=stage.shop.id)
        recorded = await db.read(lambda tx: tx.stream.after(before, 100), shop=stage.shop.id)
        return changed, [entry.event for entry in recorded]

    return apply


async def team_of(db, stage):
    found = await db.read(lambda tx: tx.members.all(), shop=stage.shop.id)
    return {member.user_id: member.role for member in found}


async def test_the_owner_makes_the_team_what_the_document_says(db, stage, people, apply):
    admin, agent, new = people[Role.ADMIN], people[Role.SUPPORT_AGENT], people[None]
    wanted = {
        stage.owner.user_id: Role.OWNER,
        new.user_id: Role.ADMIN,
        agent.user_id: Role.ORDER_MANAGER,
        admin.user_id: Role.ADMIN,
    }
    changed, events = await apply(stage.owner, wanted)
    assert changed
    assert await team_of(db, stage) == wanted
    assert events == [
        MemberJoined(user_id=new.user_id, role="admin"),
        MemberChanged(user_id=agent.user_id, role="order_manager"),
        MemberLeft(user_id=people[Role.ORDER_MANAGER].user_id),
    ]
    assert await apply(stage.owner, wanted) == (False, [])


@pytest.mark.parametrize("role", [Role.ORDER_MANAGER, Role.SUPPORT_AGENT])
async def test_who_manages_no_team_changes_nothing(db, stage, people, apply, role):
    before = await team_of(db, stage)
    assert await apply(people[role], {people[role].user_id: Role.OWNER, "nobody": Role.ADMIN}) == (False, [])
    assert await team_of(db, stage) == before


async def test_an_admin_neither_makes_nor_unmakes_admins(db, clock, stage, people, apply):
    other = await a_member(db, clock, stage.shop, Role.ADMIN)
    admin, agent, manager = (people[role] for role in (Role.ADMIN, Role.SUPPORT_AGENT, Role.ORDER_MANAGER))
    wanted = {
        agent.user_id: Role.ADMIN,
        manager.user_id: Role.SUPPORT_AGENT,
        other.user_id: Role.SUPPORT_AGENT,
        people[None].user_id: Role.ADMIN,
    }
    changed, events = await apply(admin, wanted)
    assert changed
    assert events == [MemberChanged(user_id=manager.user_id, role="support_agent")]
    team = await team_of(db, stage)
    assert team[agent.user_id] is Role.SUPPORT_AGENT
    assert (team[admin.user_id], team[other.user_id]) == (Role.ADMIN, Role.ADMIN)
    assert people[None].user_id not in team


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
async def test_the_owners_entry_stays_and_nobody_else_gets_one_like_it(db, stage, people, apply, role):
    wanted = {stage.owner.user_id: Role.SUPPORT_AGENT, people[None].user_id: Role.OWNER}
    await apply(people[role], wanted | {people[Role.ADMIN].user_id: Role.OWNER})
    team = await team_of(db, stage)
    assert [user_id for user_id, found in team.items() if found is Role.OWNER] == [stage.owner.user_id]
    await apply(people[role], {})
    assert stage.owner.user_id in await team_of(db, stage)


async def test_a_platform_admin_is_as_good_as_the_owner_also_as_a_member(db, stage, people, apply):
    agent = people[Role.SUPPORT_AGENT]
    await make_platform_admin(db, agent)
    changed, _ = await apply(agent, {agent.user_id: Role.ADMIN})
    assert changed
    assert await team_of(db, stage) == {stage.owner.user_id: Role.OWNER, agent.user_id: Role.ADMIN}


@pytest.mark.parametrize(
    "wanted", [{"nobody": Role.SUPPORT_AGENT}, {f"{n}": Role.ADMIN for n in range(TEAM_LIMIT + 1)}]
)
async def test_people_without_an_account_are_refused_and_so_are_crowds(stage, people, apply, wanted):
    with pytest.raises(Invalid, match=r"^team may hold"):
        await apply(stage.owner, wanted)


async def test_who_leaves_leaves_their_conversations(db, clock, stage, people, apply):
    agent, message = people[Role.SUPPORT_AGENT], await a_message(db, clock, stage.visitor)
    where = {"shop_id": stage.shop.id, "conversation_id": message.conversation_id}
    await ChangeConversation(db, clock)(actor=stage.owner, **where, changes={"assignee_id": agent.user_id})
    clock.advance(timedelta(hours=1))
    _, events = await apply(stage.owner, {})
    conversation = await db.read(lambda tx: tx.conversations.get(message.conversation_id), shop=stage.shop.id)
    assert conversation.assignee_id is None
    assert "conversation.changed" in [event.topic for event in events]
