"""Whose accounts the people of an archive have on this server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.archives.manifest import ACCOUNTS, refuse
from adapters.db.archive_queries import Account
from core.identity.model import User, checked_username
from core.kernel import DomainError
from ports.clock import Ids
from ports.db import Transaction
from ports.emails import Emails

NO_PASSWORD = "!"  # noqa: S105 - what no password has as its hash
"""Nobody gets in by it."""


@dataclass(slots=True)
class People:
    """`known`: emails with an account here. `new`: accounts to be made. `renamed`: ids that differ here."""

    known: list[str] = field(default_factory=list)
    new: list[User] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MatchPeople:
    """By their email: whoever has registered with it here is that person. All others get an account.

    `hashes`: the hash of the first password that somebody new gets, by email; without one there is none.
    """

    ids: Ids
    emails: Emails
    hashes: Mapping[str, str]

    def __call__(self, tx: Transaction, accounts: Sequence[Account]) -> People:
        """Raises ArchiveRefused for accounts that can't be."""
        people = People()
        seen: set[str] = set()
        for account in accounts:
            email = self._email(account)
            if email in seen:
                refuse(ACCOUNTS, f"has {email} twice")
            seen.add(email)
            known = tx.users.by_email(email)
            user_id = known.id if known else self._add(tx, people, account, email)
            if known:
                people.known.append(email)
            if user_id != account.id:
                people.renamed[account.id] = user_id
        return people

    def _add(self, tx: Transaction, people: People, account: Account, email: str) -> str:
        user = User(
            id=self.ids.new() if tx.users.find(account.id) else account.id,
            email=email,
            username=self._free_name(tx, account.username),
            password_hash=self.hashes.get(email, NO_PASSWORD),
            created_at=account.created_at,
            avatar_url=account.avatar_url,
        )
        people.new.append(user)
        return user.id

    def _email(self, account: Account) -> str:
        try:
            checked_username(account.username)
            return self.emails.normal(account.email)
        except DomainError as error:
            refuse(ACCOUNTS, f"has a row that is none: {error}")

    def _free_name(self, tx: Transaction, username: str) -> str:
        """The same, or with something random at its end when somebody has it here."""
        if tx.users.by_username(username) is None:
            return username
        return f"{username[:80]}-{self.ids.secret()[:8]}"
