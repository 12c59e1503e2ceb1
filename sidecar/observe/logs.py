"""How a line of the log looks: for people, or one JSON object for machines.

Each has the ids of the request and the job that it is about. No line break or terminal code that
came from outside gets into a line for people.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone

from .context import JOB_ID, REQUEST_ID

FIELDS = ("method", "route", "status", "ms", "key")  # of the access log
_PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(level: str, form: str) -> None:
    """Log to the standard error in this form ("text" or "json")."""
    handler = logging.StreamHandler()
    handler.addFilter(_name_ids)
    handler.setFormatter(JsonLines() if form == "json" else TextLines(_PLAIN))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _name_ids(record: logging.LogRecord) -> bool:
    """Note the ids while they are known: a handler of a queue would format later."""
    record.__dict__.setdefault("request_id", REQUEST_ID.get())
    record.__dict__.setdefault("job_id", JOB_ID.get())
    return True


class TextLines(logging.Formatter):
    """A line, with the ids at its end where they say more than it says itself."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """Return the line without the traceback."""
        line = _harmless(super().formatMessage(record))
        named = record.__dict__
        told = [
            f"{name}={named[key]}"
            for name, key in (("key", "key"), ("job", "job_id"), ("request", "request_id"))
            if named.get(key) and str(named[key]) not in line
        ]
        return f"{line} [{' '.join(told)}]" if told else line


class JsonLines(logging.Formatter):
    """A JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        named = record.__dict__
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in ("request_id", "job_id", *FIELDS):
            if named.get(name) not in (None, ""):
                line[name] = named[name]
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _harmless(line: str) -> str:
    """Return it with its control characters written out."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
