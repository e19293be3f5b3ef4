"""One log for web, worker and commands: readable lines on a laptop, JSON where LOG_JSON is on."""

import logging
import logging.config
from typing import Any

import structlog


def without_addresses(record: logging.LogRecord) -> bool:
    """Lets each record pass, Django's own without the address of the page: keys of sessions are in addresses."""
    if record.name.startswith("django.") and hasattr(record, "request") and record.args:
        record.msg, record.args = record.getMessage().partition(": ")[0], None
    return True


# What each line says beside its text; the library's own records get it too.
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LEVELS = {
    # They say at INFO that a thread ended, which nobody needs.
    **{name: {"level": "WARNING"} for name in ("PIL", "pyvips")},
    "axes": {"level": "ERROR"},  # config.logins says what it would, without addresses
    # Strangers ask under any name; the answer is a 400.
    "django.security.DisallowedHost": {"level": "CRITICAL"},
    "waitress.queue": {"level": "ERROR"},  # it warns of every request that waits for a thread
}


def logging_config(level: str, *, json: bool) -> None:
    """Configure the standard library's logging and structlog to write the same lines to stderr."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(True)
    filters = ["without_addresses"]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": _formatter(json)},
            "filters": {"without_addresses": {"()": lambda: without_addresses}},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": filters}
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": LEVELS,
        }
    )


def _formatter(json: bool) -> dict[str, Any]:
    # Plain tracebacks: those that show local variables write keys and passwords into the log, and take minutes
    # for a deep stack while every other thread waits for the log.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()] if json else [plain]
    )
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        "foreign_pre_chain": SHARED,
    }
