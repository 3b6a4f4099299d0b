"""Settings that only etcd 0.4 has, by their names, wherever they stand in a text. Pure."""

from __future__ import annotations

import re


def lines_of_04(text: str) -> list[int]:
    """The lines, from 1, that are no comment and name a setting that is 0.4's alone, near the name of etcd: others have
    flags like these too."""
    if "peer" not in text and "cluster" not in text and "ETCD_" not in text:
        return []
    if not re.search(_SURELY_04, text, re.MULTILINE):
        return []
    lines = [line if not line.lstrip().startswith(("#", ";", "//")) else "" for line in text.split("\n")]
    return [
        number
        for number, line in enumerate(lines, 1)
        if re.search(_SURELY_04, line) and re.search(_ETCD, "\n".join(lines[max(0, number - _NEAR) : number]))
    ]


_ETCD = (
    r"(?<![\w.-])etcd[\"',]*[ \t]+[\"']?[-$\\]|/etcd(?![\w.-])|[\"']etcd[\"']|-[ \t]+etcd[ \t]*(?:\n|\Z)"
    r"|(?<![\w.-])etcd:|\bETCD_(?:PEER|CLUSTER)_|[:\"']etcd[\"']?\]"
)
"""Etcd as a program, a section or an owner of variables; not a word about it."""
_NEAR = 16
"""Lines from the name of a program to the last of its flags, more or less; a template of JSON has one word on each."""


_SURELY_04 = (
    r"(?<![\w-])--?(?:peer-(?:addr|bind-addr|election-timeout|heartbeat-(?:interval|timeout))"
    r"|cluster-(?:active-size|remove-delay|sync-interval))(?![\w-])"
    r"|\bETCD_(?:PEER_(?:ADDR|BIND_ADDR|ELECTION_TIMEOUT|HEARTBEAT_INTERVAL)"
    r"|CLUSTER_(?:ACTIVE_SIZE|REMOVE_DELAY|SYNC_INTERVAL))\b"
    r"|(?:^|[\"']|\\n)[ \t]*peer[-_](?:addr|bind[-_]addr|election[-_]timeout|heartbeat[-_]interval):[ \t]"
    r"|\bpeer_(?:addr|bind_addr|election_timeout|heartbeat_interval)[\"']?\]?[ \t]*(?:=>|=(?!=))"
)


def holds_settings_of_04(text: str) -> bool:
    """A guess from names that only 0.4 has, in a text that is about etcd."""
    if "etcd" not in text.lower():
        return False
    from compat.flags04 import FLAGS, ONLY_04, ONLY_04_SPELLINGS

    flags = "|".join(sorted(map(re.escape, ONLY_04 - {"v", "vv", "f", "h"})))
    variables = [flag.variable for flag in FLAGS if flag.variable and flag.name in ONLY_04]
    names = "|".join(map(re.escape, [*variables, *(name for name in ONLY_04_SPELLINGS if name.isupper())]))
    of_a_list = r"""["'][ \t]*(?:[,\])}]|$)"""
    flag = rf"(?<![\w-])--?(?:{flags})(?=[\s=]|{of_a_list})"
    pattern = rf"(?m){flag}|\b(?:{names})=|^[ \t]+(?:{flags}):[ \t]"
    return bool(re.search(pattern, text))
