"""Where log lines go and what they look like: one line each on standard error, JSON or for people.

Django calls `configure` during its set-up (settings.LOGGING_CONFIG). Both structlog's loggers and the
standard library's (Django, uvicorn) end in the same format and carry the request id.
"""

import io
import logging
import logging.config
import sys
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.access_log import masked

_OURS = ("accounts", "billing", "config", "execution", "widgets", "runcode")


class StandardError(io.TextIOBase):
    """Whatever `sys.stderr` is when a line is written: who keeps the first one writes into a closed file some day."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class MaskPaths(logging.Filter):
    """A path may hold an account's secret: Django writes that of a refused request into its messages, uvicorn that of a
    WebSocket, and its query with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.args and hasattr(record, "request"):
            path = getattr(record.request, "path", None)
            args = record.args if isinstance(record.args, tuple) else (record.args,)
            record.args = tuple(masked(arg) if isinstance(arg, str) and arg == path else arg for arg in args)
        elif record.name == "uvicorn.error" and isinstance(record.args, tuple) and '"WebSocket %s"' in str(record.msg):
            client, target, *more = record.args
            record.args = (client, masked(str(target).partition("?")[0]), *more)
        return True


def _drop_internals(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    # The standard library's records bring the request object along; its repr shows the path and query.
    event.pop("request", None)
    event.pop("status_code", None)
    return event


def _renderer(format_: str) -> list[Processor]:
    if format_ == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    # The plain formatter: the rich one prints local variables, and with them keys and programs.
    return [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]


def configure(options: dict[str, Any]) -> None:
    """Set both logging systems up. `options`: `format` ("json" or "console") and `level` ("INFO" …)."""
    level: str = options["level"]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    stderr = cast(TextIO, StandardError())
    renderer = _renderer(options["format"])
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stderr),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"mask_paths": {"()": MaskPaths}},
            "formatters": {
                "lines": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*shared, structlog.stdlib.add_logger_name],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        _drop_internals,
                        *renderer,
                    ],
                }
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "stream": stderr,
                    "formatter": "lines",
                    "filters": ["mask_paths"],
                },
            },
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {
                **{name: {"level": level} for name in _OURS},
                # Django's own loggers lose the handlers its defaults gave them: no mail to admins, no second line.
                "django": {"handlers": [], "level": "WARNING", "propagate": True},
                "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
                # Refusals have their access line already; only what broke is worth a second one.
                "django.request": {"level": "ERROR"},
                "uvicorn": {"handlers": [], "level": level, "propagate": True},
                "uvicorn.error": {"handlers": [], "level": level, "propagate": True},
                # The access log is ours: uvicorn's would print paths with their queries.
                "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
            },
        }
    )
