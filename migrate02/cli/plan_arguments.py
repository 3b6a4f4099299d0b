"""The command line of ``migrate02 plan``, read with argparse and held against itself. Does nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from migrate02.cli.arguments import Misuse, make_parser
from migrate02.plan.ports import CHOICES, KEEP

_USAGE = """\
migrate02 plan [options] DIR|FILE ...
       migrate02 plan [options] --live URL [DIR|FILE ...]"""
_HEAD = """\
Plan the way of whole clusters from etcd 0.4 to 2.x: who is a member and who a proxy, --initial-cluster and the token,
the start line of every node, what does not fit together, and a runbook with every step, its check and the way back.
Written as Markdown. From the files of all nodes, from what a running cluster of 0.4 tells, or best from both: the
cluster knows who is a member, the files know how a node is set up."""
_TAIL = """\
exit status:
  0  done
  2  done, but something is left for a person (see "To look at")
  3  a cluster cannot be planned like this, or nothing was found"""


class PlanArguments(argparse.Namespace):
    """What was asked of ``plan``. ``members`` are the --member options, NAME=URL each."""

    inputs: list[str]
    live: list[str]
    include: list[str]
    exclude: list[str]
    ports: str
    token: str
    standby: list[str]
    member: list[str]
    gone: list[str]
    together: bool
    html: bool
    json: bool
    ca_file: str
    cert_file: str
    key_file: str


def read_plan_arguments(argv: Sequence[str]) -> PlanArguments:
    """Raises Misuse; ``--help`` ends the program here."""
    parser = make_parser("migrate02 plan", _USAGE, _HEAD, _TAIL)
    parser.add_argument("inputs", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument(
        "--live",
        metavar="URL",
        help="a client or peer URL of a running cluster of 0.4; standbys are found only by their own: give it again",
        action="append",
        default=[],
    )
    for name, text in (("include", "only such files"), ("exclude", "no such files")):
        parser.add_argument(
            f"--{name}",
            metavar="GLOB",
            help=f"of directories, {text}; may be given again",
            action="append",
            default=[],
        )
    parser.add_argument(
        "--ports",
        metavar="CHOICE",
        default=KEEP,
        help="keep: 4001 and 7001 stay; move: to 2379 and 2380; both: move, and clients find 4001 as well until they "
        "have followed (default: keep)",
    )
    parser.add_argument(
        "--token", metavar="TOKEN", default="", help="--initial-cluster-token (default: etcd-cluster-NAME)"
    )
    parser.add_argument(
        "--standby",
        metavar="NAME",
        help="was a standby, and becomes a proxy; may be given again",
        action="append",
        default=[],
    )
    parser.add_argument(
        "--member",
        metavar="NAME=URL",
        help="a member that no file describes; may be given again",
        action="append",
        default=[],
    )
    parser.add_argument(
        "--gone",
        metavar="HOST:PORT",
        help="in -peers, but of a node that is no more; may be given again",
        action="append",
        default=[],
    )
    parser.add_argument("--together", action="store_true", help="take all nodes for one cluster")
    parser.add_argument(
        "--html", action="store_true", help="write one page, with a picture of before and after"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    for name, text in (
        ("ca", "who is trusted to sign the cluster's certificates"),
        ("cert", "a certificate to show to it"),
        ("key", "its key"),
    ):
        parser.add_argument(f"--{name}-file", metavar="PATH", default="", help=f"with --live: {text}")
    args = parser.parse_intermixed_args(list(argv), PlanArguments())
    trouble = _trouble(args)
    if trouble:
        raise Misuse(trouble)
    return args


def _trouble(args: PlanArguments) -> str:
    """Options that do not go together, or ``""``."""
    if not args.inputs and not args.live:
        return "nothing to plan: give the files of all nodes, or --live URL"
    if args.html and args.json:
        return "--html and --json both say how to write the plan: give one of them"
    if args.ports not in CHOICES:
        return f"--ports {args.ports}: give one of {', '.join(CHOICES)}"
    return next(filter(None, map(_bad_member, args.member)), "")


def _bad_member(text: str) -> str:
    from server.config import UrlError, parse_url

    name, _, url = text.partition("=")
    if not name or not url:
        return f'--member: "{text}" has no NAME=URL form'
    try:
        parse_url(url)
    except UrlError as error:
        return f"--member: {error}"
    return ""
