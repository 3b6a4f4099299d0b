"""Headers for browsers about the origins whose pages may send requests. Pure."""

from collections.abc import Collection

from server.http.messages import Headers


def cors_headers(allowed: Collection[str], origin: str) -> Headers:
    """Further headers of every answer to a request from ``origin``; none unless it, or ``*``, is allowed."""
    if "*" in allowed:
        origin = "*"
    elif origin not in allowed:
        return ()
    return (
        ("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"),
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Headers", "accept, content-type, authorization"),
    )
