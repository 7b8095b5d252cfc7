"""Who is sent what: clients by room, each at most once however many of its rooms an event is for."""

from collections import defaultdict
from typing import Generic, NamedTuple, TypeVar

Member = TypeVar("Member")


class Room(NamedTuple):
    """Ids of one shop: what another shop calls the same is another room."""

    kind: str
    shop_id: str
    id: str


def session_room(shop_id: str, session_id: str) -> Room:
    return Room("session", shop_id, session_id)


def conversation_room(shop_id: str, conversation_id: str) -> Room:
    return Room("conversation", shop_id, conversation_id)


def visitor_room(shop_id: str, visitor_id: str) -> Room:
    """Those of a visitor's clients that are in the room of one of their sessions."""
    return Room("visitor", shop_id, visitor_id)


def person_room(shop_id: str, visitor_id: str) -> Room:
    """All clients of a visitor that have been in the room of one of their sessions."""
    return Room("person", shop_id, visitor_id)


def admin_room(shop_id: str) -> Room:
    return Room("admin", shop_id, shop_id)


class Rooms(Generic[Member]):
    def __init__(self) -> None:
        self._members: defaultdict[Room, set[Member]] = defaultdict(set)

    def enter(self, member: Member, room: Room) -> None:
        self._members[room].add(member)

    def leave(self, member: Member, room: Room) -> None:
        members = self._members.get(room)
        if members is not None:
            members.discard(member)
            if not members:
                del self._members[room]

    def of(self, *rooms: Room | None) -> set[Member]:
        """The members of all these rooms together."""
        found: set[Member] = set()
        for room in rooms:
            if room is not None and room in self._members:
                found |= self._members[room]
        return found

    def of_shop(self, shop_id: str) -> set[Member]:
        """Everybody who is in any room of it."""
        return self.of(*(room for room in self._members if room.shop_id == shop_id))

    def __contains__(self, room: Room) -> bool:
        return room in self._members

    def __len__(self) -> int:
        return len(self._members)
