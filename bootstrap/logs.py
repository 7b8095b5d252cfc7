"""Structured logs: JSON lines for machines, aligned lines for people. Secrets never get this far."""

import logging
import sys

import structlog

_SECRET_KEYS = frozenset(
    {
        "password",
        "token",
        "secret",
        "authorization",
        "cookie",
        "api_key",
        "admin_key",
        "refresh_token",
        "query_string",
    }
)


def configure(*, level: str, as_json: bool) -> None:
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries only warn: at DEBUG they quote what passes through them, down to the parameters of statements.
    logging.basicConfig(
        level=max(number, logging.WARNING),
        stream=sys.stderr,
        format="%(levelname)s %(name)s %(message)s",
        force=True,
    )


def hide_secrets(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The last line of defence: a field with such a name is never written, whoever logs it."""
    for key in entry.keys() & _SECRET_KEYS:
        entry[key] = "***"
    return entry
