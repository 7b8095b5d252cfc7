"""Structured logs: JSON lines for machines, aligned lines for people. Secrets never get this far.

Everything that the process says goes the same way: our own lines, those of libraries, warnings, and what
nobody caught. So in production every line is JSON, with the id of the request in which it was written.
"""

import logging
import re
import sys
import threading
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

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
_SECRET_TEXTS = re.compile(
    r"(?ix) (?<=://) [^\s/@]+ (?=@)"  # who connects to a database, and with which password
    r"| (?<=bearer\ ) \S+"
    r"| (?<=[?&]) [^\s?&=]* (?:token|key|secret|password|signature|code|state) [^\s?&=]* = [^\s&\"']*"
    r"| \beyJ[\w-]+ \.[\w-]+ \.[\w-]*"
    r"| \b(?:sk|whsec)_[\w-]{8,}"
)
_OWN_HANDLERS = ("hypercorn.error", "hypercorn.access")
"""Loggers that a server gives handlers of its own when it starts."""


def configure(*, level: str, as_json: bool) -> None:
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
        structlog.processors.format_exc_info,
        hide_secret_texts,
    ]
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # One write for each line: lines of several threads don't run into each other.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _let_libraries_in(shared, renderer, number)
    _let_accidents_in()


def _let_libraries_in(shared: list[Processor], renderer: Processor, number: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # Libraries only warn: at DEBUG they quote what passes through them, down to the parameters of statements.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _OWN_HANDLERS:
        logger = logging.getLogger(name)
        if _hand_over not in logger.filters:
            logger.addFilter(_hand_over)


def _hand_over(record: logging.LogRecord) -> bool:
    """What such a logger says is written here, and by its own handler not a second time."""
    root = logging.getLogger()
    if record.levelno >= root.level:
        root.handle(record)
    return False


def _let_accidents_in() -> None:
    """What nobody caught would else come out as a traceback of many lines."""
    log = structlog.get_logger("parley")

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("uncaught_exception", exc_info=(kind, error, trace))

    def uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
        name = what.thread.name if what.thread else None
        value = what.exc_value or what.exc_type()
        log.critical("uncaught_exception", thread=name, exc_info=(what.exc_type, value, what.exc_traceback))

    def unraisable(what: Any) -> None:
        log.error(
            "unraisable_exception",
            where=what.err_msg,
            exc_info=(what.exc_type, what.exc_value or what.exc_type(), what.exc_traceback),
        )

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
    sys.unraisablehook = unraisable


def hide_secrets(_: object, __: str, entry: EventDict) -> EventDict:
    """The last line of defence: a field with such a name is never written, whoever logs it."""
    for key in entry.keys() & _SECRET_KEYS:
        entry[key] = "***"
    return entry


def hide_secret_texts(_: object, __: str, entry: EventDict) -> EventDict:
    """The same for texts that are not ours: what libraries say, and what stands in tracebacks."""
    for key in ("exception", "event") if "_record" in entry else ("exception",):
        if key in entry:
            entry[key] = _SECRET_TEXTS.sub("***", str(entry[key]))
    return entry
