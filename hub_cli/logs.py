"""Logs of a command: on standard error, never among its answer. HUB_LOG sets the level (warning), HUB_LOG_FORMAT=json the form."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure() -> None:
    """Send every room's log to standard error."""
    level = logging.getLevelNamesMapping().get(os.environ.get("HUB_LOG", "warning").upper(), logging.WARNING)
    as_json = os.environ.get("HUB_LOG_FORMAT") == "json"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
