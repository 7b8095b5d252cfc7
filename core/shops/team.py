"""A team as a whole: what a document that lists it may change, and what goes with somebody who leaves."""

from collections.abc import Mapping
from datetime import datetime

from core.conversations.model import ConversationChanges
from core.kernel import Invalid
from core.shops.events import MemberChanged, MemberJoined, MemberLeft
from core.shops.model import Member
from core.shops.policy import Permission, Role, Standing, may_assign, may_reassign, may_take
from ports.db import Transaction

TEAM_LIMIT = 200


def apply_team(tx: Transaction, standing: Standing, wanted: Mapping[str, Role], *, now: datetime) -> bool:
    """Make the team, by user id, what `wanted` says as far as the caller may; says whether it changed.

    The shop must be locked. What the caller may not do is passed over, and so is the owner's entry. Raises
    Invalid for people who have no account.
    """
    if not standing.may(Permission.MANAGE_TEAM):
        return False
    if len(wanted) > TEAM_LIMIT:
        raise Invalid(field="team", rule=f"may hold at most {TEAM_LIMIT} people")
    team = {member.user_id: member for member in tx.members.all()}
    new = {user_id: role for user_id, role in wanted.items() if user_id not in team}
    _check_accounts(tx, new)
    joined = [add(tx, user_id, role, now) for user_id, role in new.items() if may_assign(standing.role, role)]
    changed = [
        change(tx, member, wanted[member.user_id])
        for member in team.values()
        if member.role is not wanted.get(member.user_id, member.role)
        and may_reassign(standing.role, member.role, wanted[member.user_id])
    ]
    left = [
        take_out(tx, member, now)
        for member in team.values()
        if member.user_id not in wanted and may_take(standing.role, member.role)
    ]
    return bool(joined or changed or left)


def add(tx: Transaction, user_id: str, role: Role, now: datetime) -> Member:
    """Raises AlreadyMember."""
    member = Member(user_id=user_id, role=role, joined_at=now)
    tx.members.add(member)
    tx.record(MemberJoined(user_id=user_id, role=role.value))
    return member


def change(tx: Transaction, member: Member, role: Role) -> Member:
    changed = Member(user_id=member.user_id, role=role, joined_at=member.joined_at)
    tx.members.save(changed)
    tx.record(MemberChanged(user_id=member.user_id, role=role.value))
    return changed


def take_out(tx: Transaction, member: Member, now: datetime) -> Member:
    """Their conversations are nobody's then."""
    tx.members.remove(member.user_id)
    for conversation in tx.conversations.assigned_to(member.user_id):
        conversation.change(ConversationChanges(assignee_id=None), now)
        tx.conversations.save(conversation)
    tx.record(MemberLeft(user_id=member.user_id))
    return member


def _check_accounts(tx: Transaction, wanted: Mapping[str, Role]) -> None:
    known = tx.users.by_ids(wanted)
    if any(user_id not in known for user_id in wanted):
        raise Invalid(field="team", rule="may hold only people who have an account")
