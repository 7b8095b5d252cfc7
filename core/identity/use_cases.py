from dataclasses import dataclass
from datetime import datetime, timedelta

from core.identity.errors import BadRefreshToken, EmailTaken, NotSignedIn, WrongCredentials
from core.identity.model import (
    Login,
    LoginSecret,
    TokenPurpose,
    User,
    checked_password,
    digest,
)
from core.kernel import Invalid, UserActor
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Database, Transaction
from ports.emails import Emails
from ports.passwords import Passwords
from ports.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a signed-in client holds: a short-lived access token, and secrets to stay signed in."""

    access_token: str
    refresh_token: str
    cookie: str
    expires_at: datetime
    """When the refresh token and the cookie end."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Logins:
    """Hands out credentials. Every sign-in is a family of its own, so that a device can be shut out alone."""

    clock: Clock
    ids: Ids
    tokens: Tokens
    lifetime: timedelta

    def start(self, tx: Transaction, user_id: str) -> Credentials:
        login = Login.start(id=self.ids.new(), user_id=user_id, now=self.clock.now(), lifetime=self.lifetime)
        tx.logins.add(login)
        return self.extend(tx, login)

    def extend(self, tx: Transaction, login: Login) -> Credentials:
        """A new set of credentials in the login's family; none outlives the family."""
        refresh_token, cookie = self.ids.secret(), self.ids.secret()
        for secret, purpose in ((refresh_token, TokenPurpose.REFRESH), (cookie, TokenPurpose.COOKIE)):
            tx.logins.add_secret(
                LoginSecret(
                    digest=digest(secret), login_id=login.id, purpose=purpose, expires_at=login.expires_at
                )
            )
        access = self.tokens.issue_access(UserActor(login.user_id, login.id))
        return Credentials(access.token, refresh_token, cookie, login.expires_at)


@dataclass(frozen=True, slots=True)
class Register:
    db: Database
    emails: Emails
    passwords: Passwords
    logins: Logins
    clock: Clock
    ids: Ids

    async def __call__(self, *, email: str, password: str, username: str) -> SignedIn:
        """Open an account and sign in. Raises Invalid, EmailTaken or UsernameTaken."""
        refuse_common(self.passwords, checked_password(password))
        user = User.register(
            id=self.ids.new(),
            email=self.emails.normal(email),
            username=username,
            password_hash="",
            now=self.clock.now(),
        )
        user.password_hash = await self.passwords.hash(password)

        def work(tx: Transaction) -> SignedIn:
            # Databases don't agree on which of two broken constraints they name.
            if tx.users.by_email(user.email) is not None:
                raise EmailTaken
            tx.users.add(user)
            return SignedIn(user, self.logins.start(tx, user.id))

        return await self.db.transact(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class LogIn:
    db: Database
    emails: Emails
    passwords: Passwords
    logins: Logins

    async def __call__(self, *, email: str, password: str) -> SignedIn:
        """Raises WrongCredentials, the same and as slowly for an unknown account as for a wrong password."""
        looked_up = self._looked_up(email)
        user = await self.db.read(lambda tx: tx.users.by_email(looked_up), shop=SYSTEM)
        fits = await self.passwords.verify(password, user.password_hash if user else None)
        if user is None or not fits:
            raise WrongCredentials
        fresh_hash = (
            await self.passwords.hash(password) if self.passwords.is_stale(user.password_hash) else None
        )

        def work(tx: Transaction) -> SignedIn:
            current = tx.users.get(user.id)
            if fresh_hash is not None and current.password_hash == user.password_hash:
                current.password_hash = fresh_hash
                tx.users.save(current)
            return SignedIn(current, self.logins.start(tx, user.id))

        return await self.db.transact(work, shop=SYSTEM)

    def _looked_up(self, email: str) -> str:
        """An address that can't be one belongs to no account; it is not an error of its own at login."""
        try:
            return self.emails.normal(email)
        except Invalid:
            return ""


@dataclass(frozen=True, slots=True)
class Refresh:
    db: Database
    logins: Logins
    clock: Clock

    async def __call__(self, *, refresh_token: str) -> SignedIn:
        """Swap a refresh token for new credentials. One that was used before ends its whole family.

        Raises BadRefreshToken.
        """
        now = self.clock.now()

        def work(tx: Transaction) -> SignedIn | None:
            secret = tx.logins.find_secret(digest(refresh_token), lock=True)
            if secret is None or secret.purpose is not TokenPurpose.REFRESH:
                return None
            login = tx.logins.find(secret.login_id, lock=True)
            if login is None or not login.is_live(now):
                return None
            if secret.used_at is not None:
                end(tx, login, now)
                return None
            secret.used_at = now
            tx.logins.save_secret(secret)
            return SignedIn(tx.users.get(login.user_id), self.logins.extend(tx, login))

        # The refusal comes after the commit: raised inside, it would undo the revocation.
        signed_in = await self.db.transact(work, shop=SYSTEM)
        if signed_in is None:
            raise BadRefreshToken
        return signed_in


@dataclass(frozen=True, slots=True)
class LogOut:
    db: Database
    clock: Clock

    async def __call__(self, *, login_ids: set[str]) -> None:
        """End these sign-ins: their refresh tokens and cookies are dead from now on."""

        def work(tx: Transaction) -> None:
            for login_id in sorted(login_ids):
                if login := tx.logins.find(login_id, lock=True):
                    end(tx, login, self.clock.now())

        await self.db.transact(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class ReadCookie:
    db: Database
    clock: Clock

    async def __call__(self, cookie: str) -> UserActor | None:
        """Who is signed in with this browser cookie, if it is still good."""
        now = self.clock.now()

        def work(tx: Transaction) -> UserActor | None:
            secret = tx.logins.find_secret(digest(cookie))
            if secret is None or secret.purpose is not TokenPurpose.COOKIE:
                return None
            login = tx.logins.find(secret.login_id)
            return UserActor(login.user_id, login.id) if login and login.is_live(now) else None

        return await self.db.read(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class CheckLogin:
    """For connections that outlast the token they were opened with."""

    db: Database
    clock: Clock

    async def __call__(self, actor: UserActor) -> bool:
        """Whether the sign-in has neither ended nor been ended."""
        login = await self.db.read(lambda tx: tx.logins.find(actor.login_id), shop=SYSTEM)
        return login is not None and login.is_live(self.clock.now())


@dataclass(frozen=True, slots=True)
class WhoAmI:
    db: Database

    async def __call__(self, *, actor: UserActor) -> User:
        """Raises NotSignedIn when the account is gone."""
        user = await self.db.read(lambda tx: tx.users.find(actor.user_id), shop=SYSTEM)
        if user is None:
            raise NotSignedIn
        return user


@dataclass(frozen=True, slots=True)
class EnsureProfile:
    """Gives a browser that holds only a bearer token the cookies that go with it."""

    db: Database
    logins: Logins
    clock: Clock

    async def __call__(self, *, actor: UserActor, cookie: str | None) -> tuple[User, Credentials | None]:
        """No new credentials for a browser whose cookie is that of the login. Raises NotSignedIn."""
        now = self.clock.now()

        def work(tx: Transaction) -> tuple[User, Credentials | None]:
            login, user = tx.logins.find(actor.login_id), tx.users.find(actor.user_id)
            if login is None or user is None or not login.is_live(now):
                raise NotSignedIn
            known = tx.logins.find_secret(digest(cookie)) if cookie else None
            is_known = known is not None and known.login_id == login.id
            return user, None if is_known else self.logins.extend(tx, login)

        return await self.db.transact(work, shop=SYSTEM)


def end(tx: Transaction, login: Login, now: datetime) -> None:
    """And with it the pushes to the browser that was signed in."""
    login.revoke(now)
    tx.logins.save(login)
    tx.push_subscriptions.forget_ended(login.user_id)


def refuse_common(passwords: Passwords, password: str) -> None:
    """Raises Invalid."""
    if passwords.is_common(password):
        raise Invalid(field="password", rule="is one of the most common passwords; choose another")
