"""``migrate02 discovery inspect URL``: what stands under a discovery URL, and what comes of it.

Asks, registers nothing. What the answers mean is read by the same functions that a member reads them with.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from migrate02.cli.arguments import Misuse, make_parser
from server.asking import NoAnswer, get
from server.bounded import Bounds
from server.cluster.bootstrap import BootstrapError
from server.cluster.discoverystate import Answer, Registration, State, check_url, checked_cluster, read_state
from server.config import redacted
from server.printable import shown, shown_lines

DONE, RESIDUE, REFUSED = 0, 2, 3

BOUNDS = Bounds(body=1 << 20, seconds=10.0)
"""For one answer."""

_USAGE = "migrate02 discovery inspect [--json] URL"
_HEAD = """\
Show what stands under a discovery URL: how many members the cluster begins with, who has registered,
who is missing, and what will happen next. Registers nothing."""
_TAIL = """\
exit status:
  0  the cluster can begin, or waits for more members
  2  it cannot begin like this, or somebody came too late (see the last lines)
  3  the URL cannot be used: it does not answer, or there is no such token"""


class Inspection(NamedTuple):
    """``trouble`` is why the cluster cannot begin, etcd's words and what to do, empty when it can."""

    url: str
    state: State
    trouble: tuple[str, ...]

    @property
    def late(self) -> tuple[Registration, ...]:
        """Those who registered when all places were taken."""
        return self.state.registered[self.state.size :]

    @property
    def next(self) -> str:
        """What will happen."""
        state = self.state
        if self.trouble:
            return "no cluster: every member stops with an error; get a new URL, one token is for one try"
        if state.missing:
            others = "one more member" if state.missing == 1 else f"{state.missing} more members"
            return f"the cluster begins when {others} started with this URL, each with a --name of its own"
        return (
            "all have registered, so the cluster begins or has begun; who comes now becomes a proxy of it, or stops "
            "with --discovery-fallback exit"
        )


def main(argv: Sequence[str]) -> int:
    """Runs the command; returns the exit status."""
    parser = make_parser("migrate02 discovery", _USAGE, _HEAD, _TAIL)
    parser.add_argument("what", choices=["inspect"], help="look at a discovery URL")
    parser.add_argument("url", metavar="URL", help="as --discovery has it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    try:
        args = parser.parse_args(argv)
    except Misuse as error:
        print(shown(f"migrate02 discovery: {error}"), file=sys.stderr)
        return REFUSED
    try:
        found = inspect(args.url)
    except BootstrapError as error:
        _tell(text for _, text in error.lines)
        return REFUSED
    except NoAnswer as error:
        _tell([f"{args.url} does not answer: {error}"])
        return REFUSED
    print(redacted(as_json(found)) if args.json else shown_lines(as_text(found)), end="")
    return RESIDUE if found.trouble or found.late else DONE


def inspect(url: str) -> Inspection:
    """Asks for the state. Raises BootstrapError as a member's start would, and NoAnswer when nobody answers."""
    check_url(url)
    url = url.rstrip("/")
    return judged(url, read_state(url, _get(f"{url}/_config/size"), _get(url)))


def judged(url: str, state: State) -> Inspection:
    """What can be said of a state."""
    registered = state._replace(size=len(state.members))  # as if nobody were missing
    try:
        if state.members:
            checked_cluster(url, registered)
    except BootstrapError as error:
        return Inspection(url, state, tuple(text for _, text in error.lines))
    return Inspection(url, state, ())


def as_text(found: Inspection) -> str:
    state = found.state
    width = max((len(one.name) for one in state.registered), default=0)
    lines = [f"size     {state.size}", f"found    {len(state.members)}"]
    lines += [f"  {one.name:{width}}  {_urls(one)}  (id {one.id})" for one in state.members]
    lines.append(f"missing  {state.missing}")
    if found.late:
        lines.append(f"too late {len(found.late)}")
        lines += [f"  {one.name:{width}}  {_urls(one)}  (id {one.id})" for one in found.late]
    lines += [f"trouble  {text}" for text in found.trouble]
    lines.append(f"next     {found.next}")
    return "\n".join(lines) + "\n"


def as_json(found: Inspection) -> str:
    state = found.state
    content = {
        "url": found.url,
        "size": state.size,
        "members": [_member(one) for one in state.members],
        "missing": state.missing,
        "late": [_member(one) for one in found.late],
        "trouble": list(found.trouble),
        "next": found.next,
    }
    return json.dumps(content, indent=2) + "\n"


def _member(one: Registration) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "peerURLs": _urls(one).split(",")}


def _urls(one: Registration) -> str:
    """Its peer URLs, with commas."""
    return ",".join(item.partition("=")[2] for item in one.value.split(","))


def _get(url: str) -> Answer:
    found = get(url, BOUNDS)
    return Answer(found.status, found.etcd_index, found.body)


def _tell(lines: Iterable[str]) -> None:
    sys.stderr.write("".join(f"migrate02: {shown(line)}\n" for line in lines))
