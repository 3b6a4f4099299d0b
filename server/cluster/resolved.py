"""Whether two lists of URLs mean the same places. Looks names up through the function passed in alone."""

from collections.abc import Callable, Iterable

from server.config import UrlError, parse_url

Resolve = Callable[[str], str]
"""A host name to its address; raises OSError when there is none."""


def same_urls(left: Iterable[str], right: Iterable[str], resolve: Resolve) -> bool:
    """Equal as texts, or after their host names are looked up. ``localhost`` is itself, as in etcd."""
    left, right = sorted(left), sorted(right)
    if left == right:
        return True
    if len(left) != len(right):
        return False
    try:
        return sorted(_resolved(url, resolve) for url in left) == sorted(
            _resolved(url, resolve) for url in right
        )
    except (OSError, UrlError):
        return False


def _resolved(text: str, resolve: Resolve) -> str:
    url = parse_url(text)
    host = url.hostname
    if not host or host == "localhost" or ":" in host or host.replace(".", "").isdigit():
        return text
    return str(url._replace(host=f"{resolve(host)}:{url.port}"))
