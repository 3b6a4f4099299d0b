"""What a member without v3 data has to notice of it: which requests in the log store some, and that one was seen.

A 2.x member beside members of 3.x skips what their v3 API put into the log, and so has an empty database to hand over
(``boltfile``). That is right until somebody uses the v3 API; from then on the member must never lead, for as a leader
it would send followers that empty database, with the promise that it is everything. Knows no database and no log: it
takes the data of an entry, and a file in the member's directory that outlives the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.proto import etcdserver_pb2
from server.storage.codec import parse
from server.storage.errors import WriteFailedError, describe, reporting
from server.storage.files import REAL_FILES, Files, write_new_file
from server.storage.requests import METHODS
from server.storage.varint import read_varint

MARK = "v3-data-seen"
"""The file's name in ``DATA-DIR/member``, where no etcd from 2.0 to 3.5 minds another file."""

STORING = {
    4: "put",
    5: "delete range",
    6: "transaction",
    8: "lease grant",
    1000: "auth enable",
    1011: "auth disable",
    1100: "auth user add",
    1101: "auth user delete",
    1103: "auth user change password",
    1104: "auth user grant role",
    1105: "auth user revoke role",
    1200: "auth role add",
    1201: "auth role delete",
    1203: "auth role grant permission",
    1204: "auth role revoke permission",
}
"""Fields of ``InternalRaftRequest`` whose requests change what users have stored, by etcd 3.0 to 3.5.

Whether one did change something depends on a store that is not here: a deletion may have found nothing, a transaction's
condition may not have held, a user may have been there already. So all of a kind count.
"""

HARMLESS = {
    1: "id",
    2: "v2 request",
    3: "range",  # reads went through the log in 3.0
    7: "compaction",  # forgets; each member does it by itself, and with no key there is nothing to it
    9: "lease revoke",  # of a lease whose grant was seen
    11: "lease checkpoint",  # likewise
    100: "header",
    1012: "authenticate",  # stores nothing, and fails unless auth was enabled
    1013: "auth status",
    1102: "auth user get",
    1106: "auth user list",
    1107: "auth role list",
    1202: "auth role get",
    1300: "cluster version set",  # the cluster's own, which the v2 store has too; this and the next since 3.6
    1301: "cluster member attributes set",
    1302: "downgrade info set",  # the cluster's own: whether a downgrade is on its way
}

ALARM, _ALARM_ACTION, _ACTIVATE = 10, 1, 1
"""Alarms are asked for through the log too, by every health check of 3.4 and later; only raising one stores it. And one
is raised when a database is full or damaged, which is none without data."""


@dataclass(slots=True, frozen=True)
class V3Data:
    """The first that was seen of v3 data: ``what`` it was, for a person, and the ``index`` of its entry, or of the
    snapshot whose database held it."""

    what: str
    index: int


def stores_v3_data(data: bytes) -> str:
    """What a v3 request in the data of a normal entry is called if it stores something of a user's; ``""`` otherwise.

    Requests that no etcd up to 3.5 has count as storing. Raises CodecError for bytes that are not a request.
    """
    bare = parse(etcdserver_pb2.Request, data, "request")
    if bare.Method in METHODS:
        return ""
    for number, value in fields_of(data):
        if number in STORING:
            return STORING[number]
        if number == ALARM:
            if (_ALARM_ACTION, _ACTIVATE) in fields_of(value if isinstance(value, bytes) else b""):
                return "alarm"
        elif number not in HARMLESS:
            return f"request of kind {number}, which came after etcd 3.5"
    return ""


def fields_of(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each top-level field of a protobuf message that parses."""
    position = 0
    while position < len(message):
        key, position = read_varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, position = read_varint(message, position)
            yield number, value
            continue
        if kind == 2:
            size, position = read_varint(message, position)
        else:
            size = {1: 8, 5: 4}.get(kind, len(message))  # groups, which etcd has none of, end it
        yield number, message[position : position + size]
        position += size


def read_mark(member_dir: Path) -> V3Data | None:
    """What was seen, by an earlier life of this member too; None if nothing was.

    ``member_dir`` is ``DATA-DIR/member``. A mark that says nothing sensible still is one. Raises StorageError when it
    cannot be read.
    """
    path = member_dir / MARK
    with reporting("read", path):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        told = json.loads(raw)
        return V3Data(str(told["what"]), int(told["index"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return V3Data("something, of which the mark cannot be read", 0)


def write_mark(member_dir: Path, seen: V3Data, *, files: Files = REAL_FILES) -> None:
    """Remembers what was seen; an older mark stays, for it is the first that counts. On return it survives a power cut.

    To be called before a snapshot with the entry in it is stored, after which the log does not tell any more. Raises
    StorageError, then with everything as it was.
    """
    if read_mark(member_dir) is not None:
        return
    path = member_dir / MARK
    content = json.dumps({"what": seen.what, "index": seen.index}).encode() + b"\n"
    try:
        write_new_file(files, path, [content], 0o600)
    except OSError as error:
        raise WriteFailedError(f"cannot write: {describe(error)}", path) from error
