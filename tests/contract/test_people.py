"""What the databases keep of people, teams and platform admins, also when two change it at once."""

import asyncio
from datetime import timedelta

import pytest

from core.conversations.inbox import ChangeConversation
from core.identity.admins import RevokeAdmin
from core.identity.errors import LastAdmin
from core.identity.model import Login
from core.kernel import Forbidden
from core.shops.errors import MemberNotFound, ShopNotFound
from core.shops.members import ChangeRole
from core.shops.model import Member
from core.shops.policy import Role
from ports.db import SYSTEM
from tests.builders import a_member, a_message, a_shop, a_user, ids
from tests.http.conftest import make_platform_admin


async def read(db, look):
    return await db.read(look, shop=SYSTEM)


def ids_of(users):
    return [user.id for user in users]


async def test_people_are_found_by_name_however_it_is_spelled(db, clock):
    person = await a_user(db, clock, "Jörg")
    name = (await read(db, lambda tx: tx.users.get(person.user_id))).username
    for spelled in (name, name.upper(), name.replace("ö", "o\u0308")):
        assert (await read(db, lambda tx, name=spelled: tx.users.by_username(name))).id == person.user_id
    assert await read(db, lambda tx: tx.users.by_username(name[:-1])) is None


async def test_people_come_by_page(db, clock):
    everybody = sorted([(await a_user(db, clock)).user_id for _ in range(5)])
    found, after = [], None
    while page := await read(db, lambda tx, after=after: tx.users.page(after=after, limit=2)):
        assert len(page) <= 2
        found += ids_of(page)
        after = found[-1]
    assert found == everybody


async def test_colleagues_are_those_of_all_ones_teams_each_once(db, clock):
    stage = await a_shop(db, clock)
    second, foreign = await a_shop(db, clock, stage.owner), await a_shop(db, clock)
    agent = await a_member(db, clock, stage.shop)
    other = Member(user_id=agent.user_id, role=Role.ADMIN, joined_at=clock.now())
    await db.transact(lambda tx: tx.members.add(other), shop=second.shop.id)
    third = await a_member(db, clock, second.shop)

    async def colleagues(of, **page):
        page = {"after": None, "limit": 10} | page
        return ids_of(await read(db, lambda tx: tx.users.colleagues(of, **page)))

    everybody = sorted([stage.owner.user_id, agent.user_id, third.user_id])
    assert await colleagues(agent.user_id) == everybody
    assert await colleagues(agent.user_id, limit=2) == everybody[:2]
    assert await colleagues(agent.user_id, after=everybody[0]) == everybody[1:]
    assert await colleagues(foreign.owner.user_id) == [foreign.owner.user_id]
    alone = await a_user(db, clock)
    assert await colleagues(alone.user_id) == [alone.user_id]


async def test_admins_who_dismiss_each_other_at_once_leave_one(db, opened, database_url, clock):
    admins = [await a_user(db, clock) for _ in range(6)]
    for admin in admins:
        await make_platform_admin(db, admin)
    is_shared = not database_url.startswith("memory")
    processes = [opened(database_url) if is_shared else db for _ in admins]
    await asyncio.gather(*[process.transact(lambda tx: None, shop=SYSTEM) for process in processes])
    done = await asyncio.gather(
        *[
            RevokeAdmin(process)(actor=one, user_id=another.user_id)
            for process, one, another in zip(processes, admins, [*admins[1:], admins[0]], strict=True)
        ],
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, Exception)]
    assert refused
    assert all(isinstance(one, Forbidden | LastAdmin) for one in refused), refused
    left = await read(db, lambda tx: tx.users.admins())
    assert len(left) == len(admins) - (len(done) - len(refused)) >= 1


async def test_a_new_password_ends_the_other_sign_ins_of_one_person(db, clock):
    person, other = await a_user(db, clock), await a_user(db, clock)
    second = Login.start(id=ids.new(), user_id=person.user_id, now=clock.now(), lifetime=timedelta(days=1))
    await db.transact(lambda tx: tx.logins.add(second), shop=SYSTEM)
    now = clock.now()
    await db.transact(
        lambda tx: tx.logins.revoke_others(person.user_id, keep=person.login_id, now=now), shop=SYSTEM
    )

    async def is_live(login_id):
        return (await read(db, lambda tx: tx.logins.find(login_id))).is_live(clock.now())

    live = [await is_live(login_id) for login_id in (person.login_id, second.id, other.login_id)]
    assert live == [True, False, True]


async def test_members_change_and_go_in_their_own_shop_only(db, clock):
    stage, foreign = await a_shop(db, clock), await a_shop(db, clock)
    agent = await a_member(db, clock, stage.shop)
    changed = Member(user_id=agent.user_id, role=Role.ADMIN, joined_at=clock.now())
    for change in (lambda tx: tx.members.save(changed), lambda tx: tx.members.remove(agent.user_id)):
        with pytest.raises(MemberNotFound):
            await db.transact(change, shop=foreign.shop.id)
        await db.transact(change, shop=stage.shop.id)
        found = await db.read(lambda tx: tx.members.get(agent.user_id), shop=stage.shop.id)
        assert found in (None, changed)
    assert found is None


async def test_two_admins_cannot_both_lose_their_role_by_each_others_hand(db, clock):
    """Only owners change Admins, so here an owner and an Admin work on the same member at once."""
    stage = await a_shop(db, clock)
    admin, agent = await a_member(db, clock, stage.shop, Role.ADMIN), await a_member(db, clock, stage.shop)
    change = ChangeRole(db)
    done = await asyncio.gather(
        change(actor=stage.owner, shop_id=stage.shop.id, user_id=agent.user_id, role=Role.ADMIN),
        change(actor=admin, shop_id=stage.shop.id, user_id=agent.user_id, role=Role.ORDER_MANAGER),
        return_exceptions=True,
    )
    found = await db.read(lambda tx: tx.members.get(agent.user_id), shop=stage.shop.id)
    assert found.role is Role.ADMIN
    assert [one for one in done if isinstance(one, Exception) and not isinstance(one, Forbidden)] == []


async def test_conversations_of_one_person_in_one_shop(db, clock):
    stage = await a_shop(db, clock)
    agent = await a_member(db, clock, stage.shop)
    mine, nobodys = [
        (await a_message(db, clock, visitor)).conversation_id
        for visitor in (stage.visitor, (await a_shop(db, clock)).visitor)
    ]
    await ChangeConversation(db, clock)(
        actor=agent,
        shop_id=stage.shop.id,
        conversation_id=mine,
        changes={"assignee_id": agent.user_id},
    )
    # Locked, so no transaction that only reads will do.
    found = await db.transact(lambda tx: tx.conversations.assigned_to(agent.user_id), shop=stage.shop.id)
    assert [conversation.id for conversation in found] == [mine]
    assert nobodys not in [conversation.id for conversation in found]


async def test_a_shop_that_is_not_there_cannot_be_deleted(db):
    with pytest.raises(ShopNotFound):
        await db.transact(lambda tx: tx.shops.delete(), shop="nobodys")
