"""Errors of all that is not keys."""

from server.http.messages import JSON, Response
from server.store.gojson import quote


def message(status: int, words: str, *headers: tuple[str, str]) -> Response:
    """An error in JSON, as all but keys have it; ``words`` may hold what is not UTF-8, by ``surrogateescape``."""
    return Response(status, (JSON, *headers), f'{{"message":{quote(words)}}}'.encode())
