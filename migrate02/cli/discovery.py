"""``migrate02 discovery inspect``: what stands under a discovery URL, and what comes of it.

Asks, registers nothing. What the answers mean is read by the same functions that a member reads them with.
"""

from __future__ import annotations

import argparse
import json
from typing import NamedTuple

from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from migrate02.cli.options import add_json
from migrate02.cli.output import tell
from server.asking import NoAnswer, get
from server.bounded import Bounds
from server.cluster.bootstrap import BootstrapError
from server.cluster.discoverystate import (
    DiscoveryState,
    KeysAnswer,
    RegisteredMember,
    check_url,
    checked_cluster,
    read_state,
)
from server.config import redacted
from server.printable import shown_lines

BOUNDS = Bounds(body=1 << 20, seconds=10.0)
"""For one answer."""

DESCRIPTION = """\
Show what a discovery URL has: how many members the cluster begins with, which members have registered,
how many are missing, and what happens next. Registers nothing."""
EPILOG = """\
exit status:
  0  the cluster can begin, or waits for more members
  2  it cannot begin, or a member came too late (see the last lines)
  3  the URL cannot be used: it does not answer, or the token does not exist"""


class DiscoveryArguments(argparse.Namespace):
    url: str
    json: bool


class DiscoveryReport(NamedTuple):
    """``trouble`` is why the cluster cannot begin, etcd's words and what to do, empty when it can."""

    url: str
    state: DiscoveryState
    trouble: tuple[str, ...]

    @property
    def late(self) -> tuple[RegisteredMember, ...]:
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.add_argument("url", metavar="URL", help="the URL that members get with --discovery")
    add_json(parser)


def run(args: DiscoveryArguments) -> int:
    try:
        found = inspect(args.url)
    except BootstrapError as error:
        tell(f"migrate02: {text}" for _, text in error.lines)
        return REFUSED
    except NoAnswer as error:
        tell([f"migrate02: {args.url} does not answer: {error}"])
        return REFUSED
    print(redacted(as_json(found)) if args.json else shown_lines(as_text(found)), end="")
    return RESIDUE if found.trouble or found.late else DONE


def inspect(url: str) -> DiscoveryReport:
    """Asks for the state. Raises BootstrapError as a member's start would, and NoAnswer when nobody answers."""
    check_url(url)
    url = url.rstrip("/")
    return judged(url, read_state(url, _get(f"{url}/_config/size"), _get(url)))


def judged(url: str, state: DiscoveryState) -> DiscoveryReport:
    """What can be said of a state."""
    registered = state._replace(size=len(state.members))  # as if nobody were missing
    try:
        if state.members:
            checked_cluster(url, registered)
    except BootstrapError as error:
        return DiscoveryReport(url, state, tuple(text for _, text in error.lines))
    return DiscoveryReport(url, state, ())


def as_text(found: DiscoveryReport) -> str:
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


def as_json(found: DiscoveryReport) -> str:
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


def _member(one: RegisteredMember) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "peerURLs": _urls(one).split(",")}


def _urls(one: RegisteredMember) -> str:
    """Its peer URLs, with commas."""
    return ",".join(item.partition("=")[2] for item in one.value.split(","))


def _get(url: str) -> KeysAnswer:
    found = get(url, BOUNDS)
    return KeysAnswer(found.status, found.etcd_index, found.body)
