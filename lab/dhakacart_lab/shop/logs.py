# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines as the platform writes them: one JSON object a line on stdout."""

from __future__ import annotations

import json
import logging
import sys
import time

FIELDS = ("correlationId", "userId", "method", "url", "statusCode", "responseTime", "ip", "userAgent", "errorId")
LEVELS = {"WARNING": "warn", "CRITICAL": "error"}  # winston's names


class JsonFormatter(logging.Formatter):
    """Formats a record; the optional fields are what ``extra=`` of the logging call holds. Times are UTC."""

    def __init__(self, environment: str) -> None:
        super().__init__()
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created)),
            "level": LEVELS.get(record.levelname, record.levelname.lower()),
            "message": record.getMessage(),
            "service": "dhakacart-backend",
            "environment": self._environment,
        }
        line.update({name: value for name in FIELDS if (value := getattr(record, name, None)) is not None})
        if record.exc_info and record.exc_info[1]:
            line["error"] = str(record.exc_info[1])
            line["stack"] = self.formatException(record.exc_info)
        elif error := getattr(record, "error", None):
            line["error"] = error
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(environment: str) -> None:
    """Send every logger of the process to stdout as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(environment))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The pool repeats every failed attempt; the shop's own lines say it once, with the request that met it.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
