"""Error texts of etcd 3.x that come from what v2 left in a data directory, or from the way out of 2.x. Pure.

One row a text: where etcd says it, what it means, what to do. The same texts stand in docs/v2-leftovers.md.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PAGE = "docs/v2-leftovers.md"


class ErrorText(NamedTuple):
    """``text`` is etcd's own. ``marks`` are parts of it, one of which is in every line that says it. ``todo`` are
    lines of a shell; DIR is the data directory."""

    text: str
    marks: tuple[str, ...]
    said_by: str
    meaning: str
    todo: tuple[str, ...]


_LOOK = "migrate02 v2store check DIR"
_LOOK_FOR_37 = "migrate02 v2store check --for 3.7 DIR"
_EXPORT = "migrate02 v2store export DIR > v2-keys.jsonl"
_PLAN = "migrate02 v2store clean DIR           # what would be done"
_CLEAN = "migrate02 v2store clean --write DIR   # with etcd stopped on this member"
_RUNBOOK = "migrate02 v2store plan DIR...         # several members: the steps for all of them"
_CURE = (_LOOK, _EXPORT, _PLAN, _CLEAN, _RUNBOOK)

ERROR_TEXTS = (
    ErrorText(
        "detected disallowed v2 WAL for stage --v2-deprecation=write-only",
        ("detected disallowed v2 WAL",),
        "etcd 3.6, a panic, exit status 2: at the start or any time later",
        "A v2 request is in the log behind the newest snapshot. It does not matter whether its key still exists, or "
        "whether anybody used v2: etcd 3.5 with --enable-v2 writes one for each GET /health, 3.4.0 to 3.4.28 did so "
        "without that flag, and while there is a v2 key with a TTL the leader writes one twice a second. No value of "
        "--v2-deprecation helps.",
        _CURE,
    ),
    ErrorText(
        "detected disallowed custom content in v2store for stage --v2-deprecation=write-only",
        ("detected disallowed custom content in v2store",),
        "etcd 3.6 at the start, exit status 1; 3.5 only if --v2-deprecation asks for it",
        "The newest snapshot holds v2 keys, v2 users or roles, or an empty v2 directory. The v3 database was not "
        "checked and is not the cause. --v2-deprecation=write-only-drop-data drops nothing.",
        _CURE,
    ),
    ErrorText(
        "illegal v2store content",
        ("illegal v2store content",),
        "etcd 3.6, as an error at the start or as a panic later",
        "At the start: the line also has the reason, see there. As a panic, exit status 2: the leader sent this "
        "member its snapshot, and it has v2 content. Cleaning this member is not enough: the others must be cleaned "
        "too.",
        (_LOOK, _RUNBOOK),
    ),
    ErrorText(
        "detected custom v2store content. Etcd v3.5 is the last version allowing to access it using API v2. Please "
        "remove the content.",
        ("detected custom v2store content",),
        "etcd 3.5 at every start, a warning",
        "The newest snapshot holds v2 content, and 3.6 will not start on it. 3.5 gives no such warning for v2 "
        "requests in the log, so a member without the warning may still not be clean.",
        _CURE,
    ),
    ErrorText(
        "detected custom content in v2store",
        ("detected custom content in v2store",),
        "etcdutl check v2store of 3.5, exit status 1",
        "The newest snapshot holds v2 content. etcdutl before 3.5.32 did not check the log, so there may be more.",
        _CURE,
    ),
    ErrorText(
        "detected custom v2 content in WAL records",
        ("detected custom v2 content in WAL records",),
        "etcdutl check v2store of 3.5.32 and later, exit status 1",
        "v2 requests are in the log behind the newest snapshot. A new snapshot on 3.5 helps only if there is no v2 "
        "key: otherwise the snapshot contains the keys.",
        _CURE,
    ),
    ErrorText(
        "detected custom v2 content in both v2store and WAL records",
        ("detected custom v2 content in both",),
        "etcdutl check v2store of 3.5.32 and later, exit status 1",
        "The newest snapshot holds v2 content, and v2 requests are in the log behind it.",
        _CURE,
    ),
    ErrorText(
        "No custom content found in both v2store and WAL records.",
        ("No custom content found",),
        "etcdutl check v2store of 3.5, exit status 0",
        "Nothing of v2 that 3.6 refuses, at this moment and in this member. etcdutl before 3.5.32 says 'No custom "
        "content found in v2store.' and has not checked the log. Neither message says whether 3.7 will start.",
        (_LOOK, _LOOK_FOR_37),
    ),
    ErrorText(
        "--v2-deprecation=write-only-skip-check is enabled; v2 content detected, but validation check is being "
        "bypassed",
        ("validation check is being bypassed",),
        "etcd 3.5 and 3.6 at the start, a warning",
        "v2 content is in the snapshot, and the flag allows it. On 3.6.13 and later the next snapshot is without it. "
        "On 3.5 the next snapshot has it again: nothing is removed there. The flag has no effect on the log.",
        (_LOOK, _CLEAN),
    ),
    ErrorText(
        "unmarshal should never fail (proto: cannot parse invalid wire-format data)",
        ("unmarshal should never fail",),
        "etcd 3.7, a panic, exit status 2",
        "3.7 cannot read v2 requests at all, and one is in the log behind the newest snapshot. 3.5 writes such "
        "requests about its own members and version, so a cluster that never used v2 has them until 3.6 takes a "
        "snapshot. 3.6 still starts on the directory. From an older etcd the same message means a damaged log.",
        (
            _LOOK_FOR_37,
            "migrate02 v2store clean --write DIR   # with etcd stopped; then 3.7, or 3.6 again",
            _RUNBOOK,
        ),
    ),
    ErrorText(
        "etcdserver: not capable",
        ("not capable",),
        "etcd 3.5, to every v3 request",
        "The data comes from 2.x, and 3.5 does not accept a step of the cluster's version to another major version. "
        "Either there was no 3.4 in between, or it took no snapshot when the cluster's version was 3.4.",
        (
            'curl -s http://HOST:2379/version      # "etcdcluster" says which of the two',
            "# 3.5.0: start 3.5 once with --snapshot-count=1, and once without",
            "# 2.3.0: start 3.4 on all members, at 3.4.0 each once with --snapshot-count=1, then 3.5",
            "migrate02 explain straight-from-2x",
        ),
    ),
    ErrorText(
        "failed to find database snapshot file (snap: snapshot file doesn't exist)",
        ("failed to find database snapshot file",),
        "etcd 3.4 and 3.5, a panic at the start",
        "The directory has a snapshot of 2.x, and no v3 database beside it. etcd02 adds an empty one before it "
        "starts etcd. If the directory had a database before, do not do this: it is lost, and the member must get it "
        "from the others.",
        ("etcd02 --engine /usr/bin/etcd --data-dir DIR ...", "migrate02 explain v3-database"),
    ),
    ErrorText(
        "database file (DIR/member/snap/db index 5) does not match with snapshot (index 9)",
        ("does not match with snapshot",),
        "etcd 3.4 and later at the start",
        "The v3 database is older than the newest snapshot: the files are from two different moments, for example "
        "because one of them was restored from a backup. migrate02 makes no such directory.",
        (
            "ls -l DIR/member/snap DIR/member/wal  # which files were restored?",
            "etcdctl member remove ID              # with other members: let this one join again, empty",
        ),
    ),
    ErrorText(
        "invalid downgrade; server version is lower than determined cluster version",
        ("invalid downgrade; server version is lower", "cluster cannot be downgraded"),
        "etcd 3.4 and later at the start",
        "The cluster's version has risen, and an older etcd does not start any more. Cleaning does not change that: "
        "start the newer etcd again.",
        ("curl -s http://HOST:2379/version", _LOOK),
    ),
    ErrorText(
        "tocommit(107) is out of range [lastIndex(84)]. Was the raft log corrupted, truncated, or lost?",
        ("is out of range [lastIndex",),
        "every etcd, a panic in a member of several",
        "This member has acknowledged entries that its log no longer has: an old copy of its directory was restored "
        "after it had been running with the others. A backup of clean is valid only until the member has started.",
        ("etcdctl member remove ID              # then add it again, and start it on an empty directory",),
    ),
)
_ESCAPES = re.compile(r"\\(?:u00a0|xa0|[nrt])|\\")
_QUOTES = re.compile("[\"'`\u2018\u2019\u201c\u201d]")
_LEAST = 8
"""Letters that a piece of a text must have to stand for it; and a blank, so that no flag or code is one."""


def find(said: str) -> list[ErrorText]:
    """The texts that a line of a log, or several, has in it; else those that a piece of one may be from. Case, quotes
    and blanks do not matter."""
    plain = _plain(said)
    found = [row for row in ERROR_TEXTS if any(_plain(mark) in plain for mark in row.marks)]
    if found or len(plain) < _LEAST or " " not in plain:
        return found
    return [row for row in ERROR_TEXTS if plain in _plain(row.text)]


def _plain(text: str) -> str:
    """The protobuf library writes its blank in two ways."""
    return " ".join(_QUOTES.sub("", _ESCAPES.sub(" ", text)).lower().split())
