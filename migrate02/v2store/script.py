"""From keys of v2 to a shell script that makes them keys of v3, with etcdctl. Pure.

The script is for any POSIX shell. What is printable stands in it as it is, in quotes; all else as octal escapes that
``printf`` turns into bytes, so the script itself is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from migrate02.datadir.listing import Key
from server.printable import printable
from server.store.gojson import format_time
from server.store.node import SECOND, remaining

_LONGEST_WORD = 100_000
"""Bytes of a word: Linux gives no program one of more than 131,071."""

_START = """\
# Say where the cluster is in etcdctl's own variables: ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and so on.
set -eu
LC_ALL=C
export LC_ALL
unset ETCDCTL_API
"""

_GRANT = """
grant() { # SECONDS: prints the id of a new lease
    granted=$(etcdctl --write-out=simple lease grant "$1") || exit 1
    granted=${granted#lease }
    printf '%s\\n' "${granted%% *}"
}
"""

_NEW = """
left=0
new() { # KEY: whether it has to be made. One that is there is v3's own, and stays
    found=$(etcdctl --write-out=json get --keys-only -- "$1" </dev/null) || exit 1
    case $found in
    *'"count":'*)
        printf 'not changed, because v3 has this key already: %s\\n' "$1" >&2
        left=$((left + 1))
        return 1
        ;;
    esac
}
"""

_END = """
if [ "$left" -gt 0 ]; then
    printf '%s\\n' "keys not changed, because v3 has them already: $left" >&2
    exit 2
fi
"""


def etcdctl_script(
    keys: Sequence[Key], now: int, source: str, left_out: list[str], *, overwrite: bool = False
) -> Iterator[str]:
    """The script, a line or more at a time, as of ``now`` (Unix nanoseconds), from which leases are counted.

    Keys come sorted, directories before what is in them. Without ``overwrite`` a key that v3 has already stays as it
    is. Those that cannot be named in a command go to ``left_out``.
    """
    ends = [end for _, end in _with_ends(keys)]
    yield _head(source, now, overwrite)
    yield _GRANT if any(end is not None and end > now for end in ends) else ""
    yield "\n" if overwrite else f"{_NEW}\n"
    leases: dict[int, str] = {}
    for key, end, below in zip(keys, ends, [*keys[1:], None], strict=True):
        name = printable(key.path)
        if end is not None and end <= now:
            yield f"# ran out at {format_time(end)}, left out: {name}\n"
        elif key.value is None:
            is_empty = below is None or not below.path.startswith(f"{key.path}/")
            yield f"# {'empty directory' if is_empty else 'directory'}, which v3 does not have: {name}\n"
        elif "\0" in key.path:
            left_out.append(key.path)
            yield f"# a command cannot have this name, left out: {name}\n"
        else:
            if end is not None and end not in leases:
                leases[end] = f"lease{len(leases) + 1}"
                yield f"{leases[end]}=$(grant {remaining(end, now)}) # until {format_time(end)}\n"
            lease = f' --lease="${leases[end]}"' if end is not None else ""
            yield from _put(key.path.encode("utf-8", "surrogateescape"), key.value, lease, overwrite)
    yield "" if overwrite else _END


def _head(source: str, now: int, overwrite: bool) -> str:
    written = format_time(now - now % SECOND)
    return (
        f"#!/bin/sh\n# The v2 keys of {printable(source)}, to be made keys of v3 by etcdctl 3.4 or later.\n"
        f"# Written by migrate02 v2store export at {written}. Leases are for the seconds left then.\n"
        f"# Keys that v3 has already {'are replaced' if overwrite else 'stay as they are'}.\n{_START}"
    )


def _with_ends(keys: Iterable[Key]) -> Iterator[tuple[Key, int | None]]:
    """Each key with the time at which it goes: its own or that of a directory that it is in, whichever comes first."""
    around: list[tuple[str, int | None]] = []
    for key in keys:
        while around and not key.path.startswith(around[-1][0]):
            around.pop()
        ends = [end for end in (key.expiration, around[-1][1] if around else None) if end is not None]
        end = min(ends, default=None)
        if key.value is None:
            around.append((f"{key.path}/", end))
        yield key, end


def _put(name: bytes, value: bytes, lease: str, overwrite: bool) -> Iterator[str]:
    word = _word(name)
    if word is None:
        # The command's output would lose newlines at its end.
        yield f"key=$(printf '{_octal(name)}/')\nkey=${{key%/}}\n"
        word = '"$key"'
    check = "" if overwrite else f"new {word} && "
    text = _word(value)
    if text is None:
        yield f"{check}printf '{_octal(value)}' | etcdctl put{lease} -- {word}\n"
    else:
        yield f"{check}etcdctl put{lease} -- {word} {text}\n"


def _word(raw: bytes) -> str | None:
    """The bytes in quotes, None when they are not printable or too long."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    if len(raw) > _LONGEST_WORD or not text.isprintable():
        return None
    return "'" + text.replace("'", "'\\''") + "'"


_ESCAPES = {ord("%"): "%%", ord("\\"): "\\\\", ord("\n"): "\\n"}
_OCTAL = [
    _ESCAPES.get(byte, chr(byte) if 0x20 <= byte < 0x7F and byte != ord("'") else f"\\{byte:03o}")
    for byte in range(256)
]


def _octal(raw: bytes) -> str:
    """A format for ``printf``, to stand in quotes. One that begins with a dash would be an option."""
    text = "".join(_OCTAL[byte] for byte in raw)
    return f"\\055{text[1:]}" if text.startswith("-") else text
