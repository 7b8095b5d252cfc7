"""The composition root: which adapter stands behind which port. Read by web, worker and command line only."""

from typing import Any, Protocol

from dependency_injector import containers, providers

from adapters.db.answers import ClaimingDatabase, SqlAnswers
from adapters.db.factory import open_database
from adapters.db.transaction import Context
from adapters.providers.argon2 import Argon2Passwords
from adapters.providers.bus_memory import MemoryBroker, MemoryBus
from adapters.providers.emails import ValidEmails
from adapters.providers.fernet import FernetCipher
from adapters.providers.jwt import JwtTokens
from adapters.providers.limits_memory import MemoryRateLimiter
from adapters.providers.presence_memory import MemoryPresence
from adapters.providers.proofs import HmacProofs
from adapters.providers.push_memory import MemoryPushSender
from adapters.providers.push_sender import HttpPushSender
from adapters.providers.resolver import SystemResolver
from adapters.providers.rules import RulesAssistant
from adapters.providers.system import RandomIds, SystemClock
from adapters.providers.vapid import Vapid, key_from_secret, private_key
from adapters.providers.webhook_sender import HttpWebhookSender
from adapters.wire.webhook_bodies import body_of
from bootstrap import files, use_cases
from bootstrap.health import SystemHealth
from bootstrap.secrets import derived, encryption_keys, signing_secret
from bootstrap.settings import AssistantKind, PushKind, Settings
from bootstrap.subscribers import subscriptions
from core.identity.use_cases import Logins
from ports.assistant import Assistant
from ports.bus import EventBus
from ports.cipher import Cipher
from ports.clock import Clock, Ids
from ports.db import Database
from ports.limits import RateLimiter
from ports.presence import Presence
from ports.push import PushSender
from ports.resolver import Resolver
from ports.webhooks import WebhookSender


def _database(settings: Settings, clock: Clock, ids: Ids) -> Database:
    return open_database(settings.database_url, Context(clock, ids, subscriptions(settings)))


def _bus(settings: Settings) -> EventBus:
    if settings.bus == "memory":
        return MemoryBus(MemoryBroker())
    from adapters.providers.bus_redis import RedisBus

    return RedisBus(settings.bus)


def _presence(settings: Settings) -> Presence:
    """Where several processes are, and talk over Redis, that is also where they tell whom they hold."""
    if settings.bus == "memory":
        return MemoryPresence()
    from adapters.providers.presence_redis import RedisPresence

    return RedisPresence(settings.bus)


def _limiter(settings: Settings, clock: Clock) -> RateLimiter:
    if settings.limits_store == "memory":
        return MemoryRateLimiter()
    from adapters.providers.limits_redis import RedisRateLimiter

    return RedisRateLimiter(settings.limits_store)


def _assistant(settings: Settings) -> Assistant:
    rules = RulesAssistant()
    if settings.assistant is not AssistantKind.OPENAI or settings.openai_api_key is None:
        return rules
    from adapters.providers.openai import OpenAIAssistant

    return OpenAIAssistant(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        model=settings.openai_model,
        timeout=settings.openai_timeout,
        max_retries=settings.openai_max_retries,
        fallback=rules,
    )


def _tokens(settings: Settings, secret: str, clock: Clock, ids: Ids) -> JwtTokens:
    return JwtTokens(
        secret=secret,
        previous=[old.get_secret_value() for old in settings.previous_jwt_secrets],
        issuer=settings.base_url,
        clock=clock,
        ids=ids,
        access_lifetime=settings.access_lifetime,
        visitor_lifetime=settings.visitor_lifetime,
        socket_lifetime=settings.socket_lifetime,
    )


def _cipher(settings: Settings) -> Cipher:
    return FernetCipher(encryption_keys(settings))


def _webhook_sender(settings: Settings, resolver: Resolver) -> WebhookSender:
    return HttpWebhookSender(resolver, allows_private=settings.webhooks_allow_private)


def _vapid(settings: Settings, secret: str) -> Vapid:
    if settings.vapid_private_key is not None:
        key = private_key(settings.vapid_private_key.get_secret_value())
    else:
        key = key_from_secret(derived(secret, "web push"))
    return Vapid(key, settings.push_subject)


def _push_sender(settings: Settings, vapid: Vapid, resolver: Resolver, clock: Clock) -> PushSender:
    if settings.push is PushKind.MEMORY:
        return MemoryPushSender(vapid)
    return HttpPushSender(vapid, resolver, clock)


class Container(containers.DeclarativeContainer):
    """Tests pass overrides at construction: `Container(settings=…, clock=providers.Object(…))`."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    secret = providers.Singleton(signing_secret, settings)
    clock: providers.Provider[Any] = providers.Singleton(SystemClock)
    ids: providers.Provider[Any] = providers.Singleton(RandomIds)
    db: providers.Provider[Any] = providers.Singleton(_database, settings, clock, ids)
    bus: providers.Provider[Any] = providers.Singleton(_bus, settings)
    presence: providers.Provider[Any] = providers.Singleton(_presence, settings)
    limiter: providers.Provider[Any] = providers.Singleton(_limiter, settings, clock)
    emails: providers.Provider[Any] = providers.Singleton(ValidEmails)
    passwords: providers.Provider[Any] = providers.Singleton(Argon2Passwords)
    proofs: providers.Provider[Any] = providers.Singleton(HmacProofs)
    tokens: providers.Provider[Any] = providers.Singleton(_tokens, settings, secret, clock, ids)
    cipher: providers.Provider[Any] = providers.Singleton(_cipher, settings)
    resolver: providers.Provider[Any] = providers.Singleton(SystemResolver)
    webhook_sender: providers.Provider[Any] = providers.Singleton(_webhook_sender, settings, resolver)
    vapid: providers.Provider[Any] = providers.Singleton(_vapid, settings, secret)
    push_sender: providers.Provider[Any] = providers.Singleton(_push_sender, settings, vapid, resolver, clock)
    assistant: providers.Provider[Any] = providers.Singleton(_assistant, settings)
    storage: providers.Provider[Any] = providers.Singleton(files.storage, settings)
    file_types: providers.Provider[Any] = providers.Singleton(files.file_types)
    logins = providers.Singleton(Logins, clock, ids, tokens, settings.provided.login_lifetime)
    health = providers.Singleton(SystemHealth, db, bus)
    answers = providers.Singleton(SqlAnswers, db, clock, ids)
    application = providers.Singleton(
        use_cases.application,
        db=providers.Singleton(ClaimingDatabase, db),
        clock=clock,
        ids=ids,
        emails=emails,
        passwords=passwords,
        cipher=cipher,
        proofs=proofs,
        tokens=tokens,
        assistant=assistant,
        presence=presence,
        logins=logins,
        sender=webhook_sender,
        push_sender=push_sender,
        wording=providers.Object(body_of),
        lease=settings.provided.lease,
        chat_idle=settings.provided.chat_idle,
        storage=storage,
        file_types=file_types,
        files_url=providers.Callable(files.files_url, settings),
        upload_limit=settings.provided.upload_limit,
    )


class Closable(Protocol):
    async def close(self) -> None: ...


def closable(*parts: Any) -> list[Closable]:
    """Those adapters that hold a connection open, and have to let go of it at the end."""
    return [part for part in parts if hasattr(part, "close")]
