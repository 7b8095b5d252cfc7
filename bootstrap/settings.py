"""Every setting, read once from the environment. Nothing else reads it."""

import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bootstrap.limits import Limits
from bootstrap.notations import Duration, PushKey, PushSubject, Words, words
from core.sites.hosts import host_of

SECRET_MINIMUM = 32
PREFIX = "PARLEY_"
_STORAGE = re.compile(r"file:///[^?#]+|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9/_-]*)?(\?.+)?")
_DATABASE = re.compile(r"memory://|sqlite(\+aiosqlite)?:///.+|postgres(ql(\+asyncpg)?)?://.+")


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Server(StrEnum):
    HYPERCORN = "hypercorn"
    UVICORN = "uvicorn"


class AssistantKind(StrEnum):
    OFF = "off"
    RULES = "rules"
    OPENAI = "openai"


class PushKind(StrEnum):
    WEB = "web"
    MEMORY = "memory"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
    )

    env: Environment = Environment.DEVELOPMENT
    database_url: str = Field(
        default="sqlite:///var/parley.db",
        validation_alias=AliasChoices("DATABASE_URL", "PARLEY_DATABASE_URL"),
    )
    migration_database_url: str | None = None
    """The owner's connection for `parley migrate`; the server then connects as an ordinary role."""
    jwt_secret: SecretStr | None = Field(default=None, validation_alias="JWT_SECRET")
    previous_jwt_secrets: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(words)] = ()
    """Secrets that still open tokens made before a change of JWT_SECRET."""
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(words)] = ()
    """Secrets that seal other secrets in the database: the first seals, all of them open."""
    host: str = Field(default="127.0.0.1", validation_alias=AliasChoices("HOST", "PARLEY_HOST"))
    port: int = Field(default=8080, ge=0, le=65535, validation_alias=AliasChoices("PORT", "PARLEY_PORT"))
    public_url: str | None = None
    """Where browsers reach this server; https makes cookies Secure. Default: http://localhost:PORT."""
    server: Server = Server.HYPERCORN
    allowed_origins: Words = ("http://localhost:3000", "http://localhost:8080")
    """Pages that may use the owner's API from a browser with cookies."""
    widget_hosts: Words = ("webchat.amoiq.com",)
    """Where the widget's page may be served from, beside this server."""
    trusted_proxies: Words = ()
    """Addresses or networks whose X-Forwarded-For is believed."""
    bus: str = "memory"
    limits_store: str = "memory"
    assistant: AssistantKind = AssistantKind.RULES
    relay: bool = True
    """Whether this server process also runs due work; `parley worker` does it alone."""
    limits: Limits = Limits()
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str = Field(default="https://api.openai.com/v1", validation_alias="OPENAI_BASE_URL")
    openai_model: str = Field(default="gpt-5-mini", validation_alias="OPENAI_MODEL")
    openai_timeout: float = Field(default=20.0, gt=0, le=120, validation_alias="OPENAI_TIMEOUT")
    openai_max_retries: int = Field(default=2, ge=0, le=5, validation_alias="OPENAI_MAX_RETRIES")
    access_lifetime: Duration = timedelta(minutes=15)
    login_lifetime: Duration = timedelta(days=30)
    visitor_lifetime: Duration = timedelta(hours=1)
    socket_lifetime: Duration = timedelta(hours=24)
    """Of the tokens that the widget connects with. It keeps one for as long as its session, a day."""
    chat_idle: Duration = timedelta(minutes=15)
    """A web chat without a message for so long is closed; the next message opens it again."""
    presence_grace: Duration = timedelta(seconds=3)
    """How long a visitor may be without a connection, as while a page reloads, and count as online."""
    events_kept: Duration = timedelta(days=7)
    webhooks_allow_private: bool = False
    """Webhooks may go to this machine and its network, over plain http too: for development alone."""
    webhooks_kept: Duration = timedelta(days=30)
    notifications_kept: Duration = timedelta(days=90)
    """How long the log of what was sent to webhooks reaches back."""
    push: PushKind = PushKind.WEB
    """Whether pushes go to browsers' push services, or nowhere."""
    vapid_private_key: PushKey | None = Field(default=None, validation_alias="VAPID_PRIVATE_KEY")
    """Identifies this server to push services; default: one that follows from JWT_SECRET."""
    vapid_subject: PushSubject | None = Field(default=None, validation_alias="VAPID_SUBJECT")
    """Whom push services turn to: mailto: or https:. Default: the public address."""
    lease: Duration = timedelta(seconds=60)
    """How long one process may work on a delivery before another one takes it for lost."""
    shutdown_seconds: float = Field(default=8.0, gt=0, le=60)
    body_limit: int = Field(default=10 * 1024 * 1024, ge=1024)
    body_timeout: float = Field(default=10.0, gt=0)
    frontend: Path | None = None
    """A built front end, served beside the API: a directory with an index.html."""
    files: str | None = None
    """Where uploaded files are kept: file:///DIRECTORY or s3://BUCKET; default: beside the database."""
    upload_limit: int = Field(default=25 * 1024 * 1024, ge=1024, le=1024**3)
    transfer_timeout: Duration = timedelta(minutes=10)
    """For one upload or download of a file."""
    aws_access_key_id: SecretStr | None = Field(default=None, validation_alias="AWS_ACCESS_KEY_ID")
    aws_secret_access_key: SecretStr | None = Field(default=None, validation_alias="AWS_SECRET_ACCESS_KEY")
    aws_session_token: SecretStr | None = Field(default=None, validation_alias="AWS_SESSION_TOKEN")
    log_level: str = "INFO"
    log_json: bool | None = None
    """JSON lines or lines for people; default: JSON in production."""

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is not None and not _DATABASE.fullmatch(value):
            raise ValueError(
                "must be memory://, sqlite:///FILE, sqlite+aiosqlite:///FILE or postgresql+asyncpg://…"
            )
        return value

    @field_validator("public_url")
    @classmethod
    def _whole_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if value is not None and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("must be an address such as https://chat.shop.example")
        return value

    @field_validator("files")
    @classmethod
    def _known_storage(cls, value: str | None) -> str | None:
        if value is not None and value != "memory" and not _STORAGE.fullmatch(value):
            raise ValueError("must be file:///DIRECTORY or s3://BUCKET/PREFIX?endpoint=https://…&region=…")
        return value

    @field_validator("frontend")
    @classmethod
    def _built(cls, value: Path | None) -> Path | None:
        if value is not None and not (value / "index.html").is_file():
            raise ValueError(f"must be a directory with an index.html, and {value} is none")
        return value

    @field_validator("widget_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if host_of(host) is None:
                raise ValueError(f"{host} is no host such as chat.shop.example")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network, strict=False)
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in logging.getLevelNamesMapping():
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value

    @field_validator("bus", "limits_store")
    @classmethod
    def _memory_or_redis(cls, value: str) -> str:
        if value != "memory" and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must be memory or a redis:// address")
        return value

    @model_validator(mode="after")
    def _able_to_keep_files(self) -> Self:
        if self.files == "memory" and self.env is Environment.PRODUCTION:
            raise ValueError("PARLEY_FILES must not be memory in production: it forgets everything")
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            raise ValueError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together")
        return self

    @model_validator(mode="after")
    def _able_to_push(self) -> Self:
        if self.push is PushKind.MEMORY and self.env is Environment.PRODUCTION:
            raise ValueError("PARLEY_PUSH must not be memory in production: nobody would be told")
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.jwt_secret is not None and len(self.jwt_secret.get_secret_value()) < SECRET_MINIMUM:
            raise ValueError(f"JWT_SECRET must have at least {SECRET_MINIMUM} characters")
        if any(len(key.get_secret_value()) < SECRET_MINIMUM for key in self.encryption_keys):
            raise ValueError(f"PARLEY_ENCRYPTION_KEYS must have at least {SECRET_MINIMUM} characters each")
        if self.assistant is AssistantKind.OPENAI and self.openai_api_key is None:
            raise ValueError("OPENAI_API_KEY must be set when PARLEY_ASSISTANT is openai")
        if self.env is not Environment.PRODUCTION:
            return self
        if self.jwt_secret is None:
            raise ValueError("JWT_SECRET must be set in production (32 random characters or more)")
        if not self.encryption_keys:
            raise ValueError(
                "PARLEY_ENCRYPTION_KEYS must be set in production (32 random characters or more)"
            )
        if self.webhooks_allow_private:
            raise ValueError("PARLEY_WEBHOOKS_ALLOW_PRIVATE must not be set in production")
        if self.database_url.startswith("memory"):
            raise ValueError("DATABASE_URL must not be memory:// in production: it forgets everything")
        if self.public_url is None or not self.public_url.startswith("https://"):
            raise ValueError(
                "PARLEY_PUBLIC_URL must be set to the https address of this server in production"
            )
        return self

    @property
    def handler_lease(self) -> timedelta:
        """The lease, and longer if need be: a handler gets four fifths of it, and within that an assistant
        whose model hangs has to get to its fallback."""
        if self.assistant is not AssistantKind.OPENAI:
            return self.lease
        model = timedelta(seconds=self.openai_timeout * (self.openai_max_retries + 1))
        return max(self.lease, model * 1.25 + timedelta(seconds=15))

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def push_subject(self) -> str:
        """In production the public address is https, and so says whose server this is."""
        return self.vapid_subject or (self.base_url if self.is_secure else "https://localhost")

    @property
    def is_secure(self) -> bool:
        return self.base_url.startswith("https://")


def _names() -> tuple[frozenset[str], frozenset[str]]:
    """The variables that are read, and those among them that have a name of their own."""
    read: set[str] = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias or f"{PREFIX}{name}".upper()]
        read.update(str(choice) for choice in choices)
    read.update(f"{PREFIX}LIMITS__{name}".upper() for name in Limits.model_fields)
    return frozenset(read), frozenset(name for name in read if not name.startswith(PREFIX))


NAMES, OWN_NAMES = _names()


def unknown_names(environment: Iterable[str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none: a typing error must not pass."""
    sentences = []
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in NAMES:
            close = get_close_matches(name.upper(), NAMES, 1)
            sentences.append(f"{name} is not a setting" + (f"; is {close[0]} meant?" if close else ""))
    return sentences
