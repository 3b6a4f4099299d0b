"""``migrate02 explain``: the whole story of a finding's code, of a setting over 0.4, 2.0 and later, or of an error of
etcd's."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from compat.flags04 import (
    ALIAS,
    BY_SHORT,
    BY_TOML,
    BY_VARIABLE,
    DROP,
    IGNORED,
    NEVER_READ,
    SAME,
    Flag04,
)
from compat.flags04 import BY_NAME as BY_NAME_04
from compat.flags04 import REFUSED as REFUSED_BY_2X
from compat.flags2x import BY_NAME, LATEST, Flag2x
from compat.likely import did_you_mean
from compat.usage import becomes
from migrate02.cli.exits import DONE, REFUSED
from migrate02.cli.explain_search import names, search
from migrate02.cli.output import tell
from migrate02.errortexts import PAGE, ErrorText, find
from migrate02.findings import CODES

_IN_238 = {
    ALIAS: "still understood as the old name of the new setting, as IP:port only; not beside the new one",
    SAME: "the same name",
    IGNORED: "ignored with a warning, whatever its value",
    REFUSED_BY_2X: "an error ('is no longer supported')",
    "unknown": "an error ('flag provided but not defined')",
}


class ExplainArguments(argparse.Namespace):
    words: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [CODE | -flag | VARIABLE | key | WORD | 'LINE OF A LOG' ...]"
    parser.description = """\
Explain a finding's code, or a setting in etcd 0.4, 2.0 and later. Without arguments, list the codes. You can also paste
a line of etcd's log, or a part of one: if it is an error that comes from v2 data in a data directory, its meaning and
what to do are shown. Any other word lists the codes, settings and errors about it: migrate02 explain standby."""


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """All words are subjects, so that a flag may be one: ``migrate02 explain -peer-addr``."""
    helps = [word for word in words if word in ("-h", "--help")]
    return helps, [word for word in words if word not in ("--", "--list")]


def run(args: ExplainArguments) -> int:
    if not args.words:
        print(list_codes(), end="")
        return DONE
    status = DONE
    for subject in _subjects(args.words):
        story = explain(subject) or _found(subject)
        if story:
            print(story, end="")
            continue
        hint = did_you_mean(subject, names()) or "; migrate02 explain lists the codes"
        tell([f"migrate02 explain: {subject} is neither a finding's code nor a setting of etcd{hint}"])
        status = REFUSED
    return status


def _found(word: str) -> str:
    lines = search(word)
    if not lines:
        return ""
    return "".join(f"{line}\n" for line in [f"{word} is in these; for more: migrate02 explain NAME", *lines])


def _subjects(words: Sequence[str]) -> Sequence[str]:
    """A line that was pasted without quotes is one subject, unless a word of it says enough by itself."""
    line = " ".join(words)
    return [line] if find(line) and not any(map(find, words)) else words


def explain(subject: str) -> str | None:
    """The story of a code (``peers``), a flag (``-peer-addr``), a variable, a TOML key or of a line of etcd's log; None
    when it is unknown.

    A word with a dash is a flag; without one, a code comes first.
    """
    found = find(subject)
    if found:
        return "\n".join(map(_error_text, found))
    if not subject.startswith("-") and subject in CODES:
        return _code(subject)
    name = subject.lstrip("-").partition("=")[0]
    old = (
        BY_NAME_04.get(name)
        or BY_SHORT.get(name)
        or BY_VARIABLE.get(name)
        or BY_TOML.get(name)
        or NEVER_READ.get(name)
    )
    new = BY_NAME.get(name) or next((flag for flag in BY_NAME.values() if flag.variable == name), None)
    if old is None and new is None:
        return _ours(name)
    parts = []
    if old is not None:
        parts.append(_old(old))
    if new is not None and (old is None or old.in_238 == SAME):
        parts.append(_new(new))
    for target in old.becomes if old is not None else ():
        if new is None or target != new.name:
            parts.append(_new(BY_NAME[target]))
    return "\n".join(parts)


def list_codes() -> str:
    width = max(len(code) for code in CODES)
    return "".join(f"{code:{width}}  {entry.severity:6}  {entry.title}\n" for code, entry in CODES.items())


def _code(code: str) -> str:
    entry = CODES[code]
    paragraphs = [textwrap.fill(part, 100, break_on_hyphens=False) for part in entry.story.split("\n\n")]
    return f"{code} ({entry.severity}): {entry.title}\n\n" + "\n\n".join(paragraphs) + "\n"


def _error_text(row: ErrorText) -> str:
    title = textwrap.fill(row.text, 100, break_on_hyphens=False)
    table = _table(title, [("said by", row.said_by), ("meaning", row.meaning)])
    todo = "".join(f"    {line}\n" for line in row.todo)
    return f"{table}  what to do\n{todo}" + _row("more", PAGE)


def _old(flag: Flag04) -> str:
    rows = [
        ("meaning", flag.meaning),
        ("flag", " ".join(f"-{name}" for name in (flag.name, *flag.short))),
        ("TOML key", flag.toml or "none that worked"),
        ("variable", flag.variable or "none that worked"),
        ("never read", ", ".join(flag.never_read)),
        ("value", flag.kind + (f", in {flag.unit}" if flag.unit else "")),
        ("default", flag.default),
        ("since", flag.since if flag.since != "0.4.0" else ""),
        ("in 2.0 - 2.3", _IN_238[flag.in_238]),
        ("here", f"becomes {becomes(flag)}" if flag.becomes else becomes(flag)),
        ("why", flag.dropped if flag.fate == DROP else ""),
        ("instead", flag.remedy if flag.fate == DROP else ""),
    ]
    return _table(f"-{flag.name} in etcd 0.4", rows)


def _new(flag: Flag2x) -> str:
    last = f" to {_last_before(flag.removed)}" if flag.removed else " on"
    rows = [
        ("known", f"from {flag.first}{last}"),
        ("variable", flag.variable),
        ("YAML key", f"{flag.yaml_key} (from {flag.yaml_since})" if flag.yaml_key else "none"),
        ("value", flag.kind + (f": {', '.join(flag.values)}" if flag.values else "")),
        ("default", "; ".join(f"{value or 'none'} (from {since})" for since, value in flag.defaults)),
        ("deprecated", f"since {flag.deprecated}" if flag.deprecated else ""),
        ("replaced by", flag.replacement),
        ("note", flag.note),
    ]
    return _table(f"--{flag.name} in etcd 2.x and later", rows)


def _ours(name: str) -> str | None:
    """A setting that no etcd has, but the bundled server."""
    from server.config.settings import OURS, SETTINGS

    for setting in SETTINGS:
        variable = f"ETCD_{setting.name.upper().replace('-', '_')}"
        if setting.since == OURS and name in (setting.name, variable):
            rows = [
                ("meaning", setting.help),
                ("variable", variable),
                ("value", setting.kind),
                ("default", setting.default or "none"),
            ]
            return _table(f"--{setting.name} of the bundled server, in no etcd", rows)
    return None


def _last_before(removed: str) -> str:
    """The last minor that has a flag which is gone in ``removed``."""
    minors = list(LATEST)
    return minors[minors.index(removed.rpartition(".")[0]) - 1]


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"{title}\n"]
    for label, text in rows:
        if text:
            lines.append(_row(label, text))
    return "".join(lines)


def _row(label: str, text: str) -> str:
    first, others = f"  {label:13}", " " * 15
    return (
        textwrap.fill(text, 100, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)
        + "\n"
    )
