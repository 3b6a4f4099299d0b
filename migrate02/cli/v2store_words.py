"""How what is left of v2 is counted in words."""

from __future__ import annotations

from migrate02.v2store.content import Content

_NAMED = 3


def described(content: Content) -> list[str]:
    """What is in a key space, by kind; empty if nothing is."""
    counted = (
        (content.keys, "v2 key", "v2 keys"),
        (content.hidden, "hidden v2 key", "hidden v2 keys"),
        (content.empty_directories, "empty v2 directory", "empty v2 directories"),
    )
    said = [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
    if content.with_ttl:
        shown = ", ".join(sorted(content.with_ttl)[:_NAMED])
        more = ", ..." if len(content.with_ttl) > _NAMED else ""
        said.append(f"{len(content.with_ttl)} with a TTL ({shown}{more})")
    said += [f"v2 user {name}" for name in content.users]
    return said + [f"v2 role {name}" for name in content.roles]
