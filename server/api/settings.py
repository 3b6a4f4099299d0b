"""``/config/local/log``: changes how much the member logs, while it runs."""

import logging

from server.api.errors import message
from server.api.jsonscan import JsonError, string_of
from server.api.node import ServedNode
from server.http.messages import (
    Body,
    ReadBody,
    Reply,
    Request,
    Response,
    method_not_allowed,
)
from server.log import LEVELS, NOTICE, set_level

logger = logging.getLogger(__name__)

MAX_BODY = 64 << 10
"""Bytes of a request; etcd knows no limit."""

_NAMES = {level: name for name, level in reversed(LEVELS.items()) if len(name) > 1 and name != "TRACE"}


def serve_log_level(_: ServedNode, request: Request) -> Reply:
    """Takes ``{"Level": "DEBUG"}``, for all packages; the content type does not matter."""
    if request.method != "PUT":
        return method_not_allowed("PUT")
    return ReadBody(MAX_BODY, _change)


def _change(body: Body) -> Response:
    try:
        if body.fault or len(body.data) > MAX_BODY:
            raise JsonError(body.fault or "http: request body too large")
        wanted = string_of("Level", body.data)
    except JsonError:
        return message(400, "Invalid json body")
    level = LEVELS.get(wanted.upper())
    if level is None:
        return message(400, f"Invalid log level {wanted}")
    name = "TRACE" if wanted.upper() in ("TRACE", "T", "5") else _NAMES[level]
    logger.log(NOTICE, 'globalLogLevel set to "%s"', name)
    set_level(level)
    return Response(204)
