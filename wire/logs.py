"""How leukoscope's programs log: events with fields, to stderr, as JSON lines or for people.

What is logged of a capture is its id; a slide appears as its token. Names and numbers of
patients reach no program but the station's own page, so no filter stands here to be forgotten.
"""

import logging
import sys

import structlog


def configure(*, json: bool, level: int = logging.INFO) -> None:
    """Set structlog up for the whole program.

    Args:
        json: JSON lines for machines; else one readable line an event.
        level: the least severe level to write, as in `logging`.
    """
    shown: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json
        # Plain: a pretty traceback prints local variables, and a frame's payload with them.
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if json else []),
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
